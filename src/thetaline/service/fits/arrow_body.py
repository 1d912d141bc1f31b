"""Parquet and Arrow bodies, batch by batch; needs pyarrow. A batch is validated in full before it is looked into: an
offset out of its buffer ends the process, a negative code takes another learner's id."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from thetaline.api.base import MAX_ID_CHARS
from thetaline.service.fits.answer_columns import Columns
from thetaline.service.http_errors import ApiError

IDS = ("user_id", "item_id")
NEEDED = (*IDS, "is_correct")
SHOWN_NAMES, SHOWN_CHARS = 20, 40
# Beside its own tree pyarrow raises Python's: OSError for a page, KeyError for a column, UnicodeDecodeError for a name.
UNREADABLE = (pa.ArrowException, OSError, LookupError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Rows:
    """The answered rows of a batch; `answered_at` in microseconds since 1970, 0 where it is not known."""

    users: list[str]
    items: list[str]
    correct: NDArray[np.uint8]
    answered_at: NDArray[np.int64]


def add_parquet(path: Path, columns: Columns, *, batch_rows: int) -> None:
    """Ids are read as dictionaries: one long id repeated a million times stays one. Raises ApiError."""
    with pa.OSFile(str(path)) as source:
        _add("Parquet", _parquet(source, batch_rows), columns)


def add_arrow(path: Path, columns: Columns) -> None:
    """An IPC stream. Raises ApiError."""
    with pa.OSFile(str(path)) as source:
        _add("Arrow", _stream(source), columns)


def _add(name: str, batches: Iterable[pa.RecordBatch], columns: Columns) -> None:
    for rows in _readable(name, map(_rows, batches)):
        columns.add(rows.users, rows.items, correct=rows.correct, answered_at=rows.answered_at)


def _readable(name: str, rows: Iterable[Rows]) -> Iterator[Rows]:
    try:
        yield from rows
    except MemoryError:
        raise
    except UNREADABLE as error:
        raise ApiError(400, f"the body is not {name} that can be read", str(error)[:200]) from None


def _parquet(source: pa.NativeFile, batch_rows: int) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(source, read_dictionary=list(IDS), page_checksum_verification=True) as file:
        yield from file.iter_batches(batch_size=batch_rows, columns=_wanted(file.schema_arrow))


def _stream(source: pa.NativeFile) -> Iterator[pa.RecordBatch]:
    with pa.ipc.open_stream(source) as batches:
        wanted = _wanted(batches.schema)
        for batch in batches:
            yield batch.select(wanted)


def _wanted(schema: pa.Schema) -> list[str]:
    """The columns that are read, each there once and of a type that is taken."""
    names = schema.names
    lacking = [name for name in NEEDED if name not in names]
    if lacking:
        shown = [name[:SHOWN_CHARS] for name in names[:SHOWN_NAMES]]
        raise ApiError(422, f"the columns {lacking} are missing", f"there are {shown}")
    wanted = [name for name in _KINDS if name in names]
    twice = [name for name in wanted if names.count(name) > 1]
    if twice:
        raise ApiError(422, f"the columns {twice} are there more than once")
    for name in wanted:
        _require_kind(name, schema.field(name).type)
    return wanted


def _require_kind(name: str, kind: pa.DataType) -> None:
    is_taken, expected = _KINDS[name]
    if not is_taken(kind):
        raise ApiError(422, f"the column {name} must hold {expected}", f"it is {str(kind)[:SHOWN_CHARS]}")


def _is_id(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return _is_text(kind) or bool(pa.types.is_integer(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_truth(kind: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(kind) or pa.types.is_integer(kind))


_KINDS: Mapping[str, tuple[Callable[[pa.DataType], bool], str]] = {
    "user_id": (_is_id, "text without nulls"),
    "item_id": (_is_id, "text without nulls"),
    "is_correct": (_is_truth, "booleans, or 0 and 1"),
    "responded_at": (pa.types.is_timestamp, "timestamps"),
}


def _rows(batch: pa.RecordBatch) -> Rows:
    batch.validate(full=True)
    answered = pc.is_valid(batch.column("is_correct"))
    users, items = (_ids(name, _coded(batch.column(name)).filter(answered)) for name in IDS)
    correct = _correct(batch.column("is_correct").filter(answered))
    if "responded_at" not in batch.schema.names:
        return Rows(users, items, correct, np.zeros(correct.size, dtype=np.int64))
    return Rows(users, items, correct, _moments(batch.column("responded_at").filter(answered)))


def _coded(column: pa.Array) -> pa.DictionaryArray:
    """As a dictionary whose values can be taken from; those of a view cannot."""
    if not pa.types.is_dictionary(column.type):
        return _without_views(column).dictionary_encode()
    return pa.DictionaryArray.from_arrays(column.indices, _without_views(column.dictionary))


def _without_views(column: pa.Array) -> pa.Array:
    return column.cast(pa.string()) if pa.types.is_string_view(column.type) else column


def _ids(name: str, column: pa.DictionaryArray) -> list[str]:
    """Only the values that rows use are looked at: a dictionary may be longer than its batch."""
    if column.null_count:
        raise ApiError(422, f"the column {name} must hold text without nulls", f"it has {column.null_count} nulls")
    used, code = np.unique(column.indices.to_numpy(), return_inverse=True)
    values = column.dictionary.take(pa.array(used)).to_pylist()
    if None in values:
        raise ApiError(422, f"the column {name} must hold text without nulls", "its dictionary has a null")
    names = [str(value) for value in values]
    wrong = [one for one in names if not 1 <= len(one) <= MAX_ID_CHARS or "\x00" in one]
    if wrong:
        raise ApiError(422, f"the column {name} must hold 1 to {MAX_ID_CHARS} characters", wrong[0][:SHOWN_CHARS])
    ids: list[str] = np.array(names, dtype=object)[code].tolist()
    return ids


def _correct(column: pa.Array) -> NDArray[np.uint8]:
    ends = pc.min_max(column).as_py()
    strange = [value for value in ends.values() if value not in (None, 0, 1)]
    if strange:
        raise ApiError(422, "the column is_correct must hold booleans, or 0 and 1", f"it has {strange[0]}")
    correct: NDArray[np.uint8] = column.cast(pa.uint8()).to_numpy()
    return correct


def _moments(column: pa.Array) -> NDArray[np.int64]:
    target = pa.timestamp("us", tz=column.type.tz)
    try:
        found = column.cast(options=pc.CastOptions(target_type=target, allow_time_truncate=True))
    except pa.ArrowInvalid as error:
        raise ApiError(422, "the column responded_at must hold timestamps of this age", str(error)[:200]) from None
    moments: NDArray[np.int64] = found.cast(pa.int64()).fill_null(0).to_numpy()
    return moments
