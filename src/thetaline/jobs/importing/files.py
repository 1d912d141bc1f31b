"""Files of answers as batches of text columns with line numbers; memory holds one batch."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from thetaline.errors import FileRowsError, InputError

BATCH_ROWS = 65_536
LONGEST_FIELD = 1_000_000  # characters; a runaway quote would otherwise swallow the file into one field

_PARQUET_ENDS = (".parquet", ".pq")
_JSON_ENDS = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is rejected: its line (in Parquet: its number), the reason, its values."""

    line: int
    reason: str
    values: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows as text: `lines` (n,) and, for each name, (n,) values of which None is an empty field."""

    lines: Sequence[int]
    columns: dict[str, pa.Array]
    rejected: tuple[RejectedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file with its column names; `batches` reads some of the columns."""

    path: Path
    names: tuple[str, ...]
    batches: Callable[[Sequence[str]], Iterator[RowBatch]]


def open_answer_file(path: Path) -> AnswerFile:
    """Recognise CSV, JSON lines (both also .gz) and Parquet by the name's end.

    Raises InputError when the file is absent, empty or of another kind.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'this is no file' if path.exists() else 'there is no such file'}")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    stem = path.name.lower().removesuffix(".gz")
    with _file_errors(path):
        if stem.endswith(_PARQUET_ENDS):
            return _parquet(path)
        if stem.endswith(_JSON_ENDS):
            return _json_lines(path)
        if stem.endswith((".csv", ".tsv", ".txt")):
            return _csv(path, "\t" if stem.endswith(".tsv") else ",")
    raise InputError(f"{path}: unknown kind of file; known are .csv, .tsv, .jsonl, .ndjson (also .gz) and .parquet")


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    """Raise InputError in place of what is wrong with the file: encoding, compression, permission."""
    try:
        yield
    except (ValueError, EOFError, OSError, zlib.error, pa.ArrowException) as error:
        message = _file_problem(error)
        if message is None:
            raise
        raise InputError(f"{path}: {message}") from error


def _file_problem(error: Exception) -> str | None:
    match error:
        case UnicodeDecodeError():
            byte = error.object[error.start]
            return f"not UTF-8 text (byte 0x{byte:02x}); convert it, for example by `iconv -t utf-8`"
        case EOFError():
            return "the compressed file is truncated; fetch it again"
        case gzip.BadGzipFile() | zlib.error():
            return f"broken gzip data ({error}); fetch it again"
        case pa.ArrowException():
            return f"no readable Parquet file ({str(error).splitlines()[0]})"
        case OSError():
            return f"cannot be read ({error.strerror or error})"
    return None


def _text(path: Path) -> IO[str]:
    raw = gzip.GzipFile(path) if path.name.lower().endswith(".gz") else path.open("rb")
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _csv(path: Path, delimiter: str) -> AnswerFile:
    csv.field_size_limit(LONGEST_FIELD)
    with _text(path) as text:
        names = next(csv.reader(text, delimiter=delimiter, strict=True), [])
    if not any(names):
        raise InputError(f"{path}: no header line; the first line names the columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path}: the header names {', '.join(twice)} more than once")
    return AnswerFile(path, tuple(names), lambda wanted: _csv_batches(path, delimiter, names, wanted))


def _csv_batches(path: Path, delimiter: str, names: Sequence[str], wanted: Sequence[str]) -> Iterator[RowBatch]:
    places = [names.index(name) for name in wanted]
    with _file_errors(path), _text(path) as text:
        rows = _csv_rows(csv.reader(text, delimiter=delimiter, strict=True), len(names))
        next(rows)
        while chunk := list(islice(rows, BATCH_ROWS)):
            good = [row for row in chunk if not isinstance(row, RejectedRow)]
            columns = [pa.array([row[place] or None for _, row in good], pa.large_string()) for place in places]
            yield RowBatch(
                lines=[line for line, _ in good],
                columns=dict(zip(wanted, columns, strict=True)),
                rejected=tuple(row for row in chunk if isinstance(row, RejectedRow)),
            )


def _csv_rows(reader: Any, width: int) -> Iterator[tuple[int, list[str]] | RejectedRow]:
    """Rows with the line that they begin on (a quoted field may contain line ends); blank lines are no rows."""
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RejectedRow(line, f"not CSV ({error})")
        else:
            if len(row) == width:
                yield line, row
            elif row:
                yield RejectedRow(line, "number of fields differs from the header's", tuple(row))
        line = reader.line_num + 1


def _json_lines(path: Path) -> AnswerFile:
    names: dict[str, None] = {}
    first = next(_json_chunks(path), [])
    for row in first:
        if not isinstance(row, RejectedRow):
            names.update(dict.fromkeys(row[1]))
    rejected = next((row for row in first if isinstance(row, RejectedRow)), None)
    if not names and rejected:
        raise InputError(f"{path}: no line is an object with named values; line {rejected.line}: {rejected.reason}")
    return AnswerFile(path, tuple(names), lambda wanted: _json_batches(path, wanted))


def _json_batches(path: Path, wanted: Sequence[str]) -> Iterator[RowBatch]:
    for chunk in _json_chunks(path):
        good = [row for row in chunk if not isinstance(row, RejectedRow)]
        columns = {name: pa.array([row.get(name) for _, row in good], pa.large_string()) for name in wanted}
        yield RowBatch([line for line, _ in good], columns, tuple(row for row in chunk if isinstance(row, RejectedRow)))


def _json_chunks(path: Path) -> Iterator[list[tuple[int, dict[str, str | None]] | RejectedRow]]:
    with _file_errors(path), _text(path) as text:
        rows = (_json_row(number, line) for number, line in enumerate(text, start=1) if line.strip())
        while chunk := list(islice(rows, BATCH_ROWS)):
            yield chunk


def _json_row(number: int, line: str) -> tuple[int, dict[str, str | None]] | RejectedRow:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return RejectedRow(number, "not JSON", (line.strip(),))
    if not isinstance(row, dict):
        return RejectedRow(number, "not a JSON object", (line.strip(),))
    if "\\ud" in line.lower() and _has_lone_surrogate(row):
        return RejectedRow(number, "broken Unicode escape")
    nested = next((name for name, value in row.items() if isinstance(value, (dict, list))), None)
    if nested is not None:
        return RejectedRow(number, f"{nested} holds a list or an object", (line.strip(),))
    return number, {name: _json_text(value) for name, value in row.items()}


def _has_lone_surrogate(row: dict[str, object]) -> bool:
    try:
        "".join(value for value in row.values() if isinstance(value, str)).encode()
    except UnicodeEncodeError:
        return True
    return False


def _json_text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parquet(path: Path) -> AnswerFile:
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
    if file.metadata.num_rows == 0:
        raise InputError(f"{path}: the file has no rows")
    return AnswerFile(path, tuple(schema.names), lambda wanted: _parquet_batches(path, schema, wanted))


def _parquet_batches(path: Path, schema: pa.Schema, wanted: Sequence[str]) -> Iterator[RowBatch]:
    for name in wanted:
        _check_type(path, name, schema.field(name).type)
    done = 0
    with _file_errors(path), pq.ParquetFile(path) as file:
        for part in file.iter_batches(BATCH_ROWS, columns=list(wanted)):
            lines = range(done + 1, done + 1 + part.num_rows)
            yield RowBatch(lines, {name: _as_text(part.column(name)) for name in wanted})
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
