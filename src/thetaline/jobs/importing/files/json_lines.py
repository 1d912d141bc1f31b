"""JSON lines: an object a line; what is nested is named by its path, `actor.account.name`, `parents.0.id`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa

from thetaline.errors import InputError
from thetaline.jobs.importing.files.answer_file import (
    BATCH_ROWS,
    AnswerFile,
    Reason,
    RejectedRow,
    RowBatch,
    file_errors,
    open_text,
)

DEEPEST = 6  # levels of nesting whose names are listed
LONGEST_LIST = 3  # entries of a list whose names are listed

Row = Mapping[str, object]
NOT_JSON = Reason("not JSON")
NO_OBJECT = Reason("not a JSON object")
BROKEN_UNICODE = Reason("broken Unicode escape")


def json_lines_file(path: Path) -> AnswerFile:
    """The columns are those of the first lines.  Raises InputError when none of them is an object with names."""
    names: dict[str, None] = {}
    first = next(_chunks(path), [])
    for row in first:
        if not isinstance(row, RejectedRow):
            names.update(dict.fromkeys(_paths(row[1])))
    rejected = next((row for row in first if isinstance(row, RejectedRow)), None)
    if not names and rejected:
        told = f"line {rejected.line}: {rejected.reasons[0]}"
        raise InputError(f"{path}: no line is an object with named values; {told}")
    return AnswerFile(path, tuple(names), "JSON lines", lambda wanted: _batches(path, wanted))


def _paths(value: object, prefix: str = "", depth: int = 0) -> Iterator[str]:
    """The names of an object's values; a nested one has the path to it."""
    entries: Iterator[tuple[str, object]]
    match value:
        case dict():
            entries = iter(value.items())
        case list():
            entries = ((str(place), one) for place, one in enumerate(value[:LONGEST_LIST]))
        case _:
            yield prefix
            return
    if depth:
        yield prefix
    for name, one in entries if depth < DEEPEST else ():
        yield from _paths(one, f"{prefix}.{name}" if depth else name, depth + 1)


def _batches(path: Path, wanted: Sequence[str]) -> Iterator[RowBatch]:
    for chunk in _chunks(path):
        rejected = [row for row in chunk if isinstance(row, RejectedRow)]
        lines, values = [], []
        for row in chunk:
            if isinstance(row, RejectedRow):
                continue
            found = [_value(row[1], name) for name in wanted]
            nested = [name for name, one in zip(wanted, found, strict=True) if isinstance(one, (dict, list))]
            if nested:
                reasons = tuple(Reason(f"{name} holds a list or an object") for name in nested)
                rejected.append(RejectedRow(row[0], reasons, (json.dumps(row[1], ensure_ascii=False),)))
            else:
                lines.append(row[0])
                values.append([_text(one) for one in found])
        columns = {name: pa.array([row[k] for row in values], pa.large_string()) for k, name in enumerate(wanted)}
        yield RowBatch(lines, columns, tuple(rejected))


def _value(row: Row, path: str) -> object:
    """The value of that name, else the one at that path; None where there is none."""
    if path in row or "." not in path:
        return row.get(path)
    value: object = row
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _chunks(path: Path) -> Iterator[list[tuple[int, Row] | RejectedRow]]:
    with file_errors(path), open_text(path) as text:
        rows = (_row(number, line) for number, line in enumerate(text, start=1) if line.strip())
        while chunk := list(islice(rows, BATCH_ROWS)):
            yield chunk


def _row(number: int, line: str) -> tuple[int, Row] | RejectedRow:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return RejectedRow(number, (NOT_JSON,), (line.strip(),))
    if not isinstance(row, dict):
        return RejectedRow(number, (NO_OBJECT,), (line.strip(),))
    if "\\ud" in line.lower() and _has_lone_surrogate(row):
        return RejectedRow(number, (BROKEN_UNICODE,))
    return number, row


def _has_lone_surrogate(row: Row) -> bool:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
