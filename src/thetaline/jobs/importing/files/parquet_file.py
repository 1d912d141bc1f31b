"""Parquet: text, numbers, booleans and timestamps, all as text."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from thetaline.errors import FileRowsError, InputError
from thetaline.jobs.importing.files.answer_file import BATCH_ROWS, AnswerFile, RowBatch, file_errors, unique_names


def parquet_file(path: Path) -> AnswerFile:
    """Raises InputError for a file without rows."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
    if file.metadata.num_rows == 0:
        raise InputError(f"{path}: the file has no rows")
    names, repeated = unique_names(schema.names)
    return AnswerFile(path, names, "Parquet", lambda wanted: _batches(path, schema, names, wanted), repeated)


def _batches(path: Path, schema: pa.Schema, names: Sequence[str], wanted: Sequence[str]) -> Iterator[RowBatch]:
    places = [names.index(name) for name in wanted]
    for name, place in zip(wanted, places, strict=True):
        _check_type(path, name, schema.field(place).type)
    in_file = [schema.names[place] for place in places]
    done = 0
    with file_errors(path), pq.ParquetFile(path) as file:
        for part in file.iter_batches(BATCH_ROWS, columns=in_file):
            lines = range(done + 1, done + 1 + part.num_rows)
            yield RowBatch(
                lines, {name: _as_text(part.column(there)) for name, there in zip(wanted, in_file, strict=True)}
            )
            done += part.num_rows


def _check_type(path: Path, name: str, kind: pa.DataType) -> None:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    readable = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean,
        pa.types.is_floating, pa.types.is_timestamp, pa.types.is_date, pa.types.is_null,
    )  # fmt: skip
    if not any(test(value) for test in readable):
        raise FileRowsError(f"{path}: column {name} holds {kind}; it must hold text, numbers, booleans or timestamps")


def _as_text(values: pa.Array) -> pa.Array:
    text = values.cast(pa.large_string())
    if pa.types.is_floating(values.type):  # frames keep whole numbers with gaps as floats: 101.0 is the id 101
        text = pc.replace_substring_regex(text, r"\.0$", "")
    return pc.if_else(pc.equal(text, ""), None, text)
