"""Parquet and Arrow bodies, batch by batch; needs pyarrow."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from thetaline.api.base import MAX_ID_CHARS
from thetaline.service.faults import Fault
from thetaline.service.fits.columns import Columns

IDS = ("user_id", "item_id")
NEEDED = (*IDS, "is_correct")


def add_parquet(path: Path, columns: Columns, *, batch_rows: int) -> None:
    """Ids are read as dictionaries: one long id repeated a million times stays one."""
    try:
        with pq.ParquetFile(path, read_dictionary=list(IDS)) as file:
            wanted = _wanted(file.schema_arrow)
            _add_batches(file.iter_batches(batch_size=batch_rows, columns=wanted), columns)
    except pa.ArrowInvalid as error:
        raise _unreadable("Parquet", error) from None


def add_arrow(path: Path, columns: Columns) -> None:
    """An IPC stream."""
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as batches:
            wanted = _wanted(batches.schema)
            _add_batches((batch.select(wanted) for batch in batches), columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable("Arrow", error) from None


def _wanted(schema: pa.Schema) -> list[str]:
    lacking = [name for name in NEEDED if name not in schema.names]
    if lacking:
        raise Fault(422, f"the columns {lacking} are missing", f"there are {schema.names[:20]}")
    return [*NEEDED, *(["responded_at"] if "responded_at" in schema.names else [])]


def _add_batches(batches: Iterable[pa.RecordBatch], columns: Columns) -> None:
    for batch in batches:
        answered = batch.filter(pc.is_valid(batch.column("is_correct")))
        columns.add(
            _ids(answered, "user_id"),
            _ids(answered, "item_id"),
            correct=_correct(answered.column("is_correct")),
            answered_at=_moments(answered),
        )


def _ids(batch: pa.RecordBatch, name: str) -> list[str]:
    column = batch.column(name)
    column = column.dictionary_encode() if not pa.types.is_dictionary(column.type) else column
    kind = column.type.value_type
    if column.null_count or not (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)
    ):
        raise Fault(422, f"the column {name} must hold text without nulls", f"it is {kind}, {column.null_count} nulls")
    names = [str(value) for value in column.dictionary.to_pylist()]
    wrong = [one for one in names if not 1 <= len(one) <= MAX_ID_CHARS or "\x00" in one]
    if wrong:
        raise Fault(422, f"the column {name} must hold 1 to {MAX_ID_CHARS} characters", wrong[0][:40])
    return [names[code] for code in column.indices.to_pylist()]


def _correct(column: pa.Array) -> NDArray[np.uint8]:
    if pa.types.is_floating(column.type) or not (pa.types.is_boolean(column.type) or pa.types.is_integer(column.type)):
        raise Fault(422, "the column is_correct must hold booleans, or 0 and 1", f"it is {column.type}")
    values = column.cast(pa.int64()).to_numpy()
    if ((values < 0) | (values > 1)).any():
        raise Fault(422, "the column is_correct must hold booleans, or 0 and 1", f"it has {values.max()}")
    correct: NDArray[np.uint8] = values.astype(np.uint8)
    return correct


def _moments(batch: pa.RecordBatch) -> NDArray[np.int64]:
    if "responded_at" not in batch.schema.names:
        return np.zeros(batch.num_rows, dtype=np.int64)
    column = batch.column("responded_at")
    if not pa.types.is_timestamp(column.type):
        raise Fault(422, "the column responded_at must hold timestamps", f"it is {column.type}")
    microseconds = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
    moments: NDArray[np.int64] = microseconds.fill_null(0).to_numpy().astype(np.int64)
    return moments


def _unreadable(name: str, error: Exception) -> Fault:
    return Fault(400, f"the body is not {name} that can be read", str(error)[:200])
