"""CSV and its relatives: comma, tab, semicolon, bar or blanks between the fields, found by the header."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

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
    unique_names,
)

LONGEST_FIELD = 1_000_000  # characters; a runaway quote would otherwise swallow the file into one field
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}  # of equally good ones the first
BLANK = " "  # where none of these cuts the header: tables as R writes them


def csv_file(path: Path) -> AnswerFile:
    """Raises InputError for a file without a header line."""
    csv.field_size_limit(LONGEST_FIELD)
    delimiter, header = _header(path)
    if not any(header):
        raise InputError(f"{path}: no header line; the first line names the columns")
    names, repeated = unique_names(header)
    kind = f"{DELIMITERS.get(delimiter, 'blank')}-separated"
    return AnswerFile(path, names, kind, lambda wanted: _batches(path, delimiter, names, wanted), repeated)


def _header(path: Path) -> tuple[str, list[str]]:
    """The delimiter that cuts the first line into the most fields, and these."""
    with open_text(path) as text:
        start = list(islice(text, 100))  # a quoted name may contain line ends
    headers = {delimiter: next(_first_rows(start, delimiter), []) for delimiter in DELIMITERS}
    delimiter, header = max(headers.items(), key=lambda one: len(one[1]))
    if len(header) > 1:
        return delimiter, header
    rows = _first_rows(start, BLANK)
    by_blanks, first = next(rows, []), next(rows, [])
    if len(first) == len(by_blanks) + 1:  # R gives row names no header
        by_blanks = ["", *by_blanks]
    return (BLANK, by_blanks) if len(by_blanks) > 1 else (delimiter, header)


def _first_rows(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    with suppress(csv.Error):
        yield from _reader(lines, delimiter)


def _reader(lines: Iterable[str], delimiter: str) -> Any:
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter == BLANK)


def _batches(path: Path, delimiter: str, names: Sequence[str], wanted: Sequence[str]) -> Iterator[RowBatch]:
    places = [names.index(name) for name in wanted]
    with file_errors(path), open_text(path) as text:
        rows = _rows(_reader(text, delimiter), len(names))
        next(rows)
        while chunk := list(islice(rows, BATCH_ROWS)):
            good = [row for row in chunk if not isinstance(row, RejectedRow)]
            columns = [pa.array([row[place] or None for _, row in good], pa.large_string()) for place in places]
            yield RowBatch(
                lines=[line for line, _ in good],
                columns=dict(zip(wanted, columns, strict=True)),
                rejected=tuple(row for row in chunk if isinstance(row, RejectedRow)),
            )


def _rows(reader: Any, width: int) -> Iterator[tuple[int, list[str]] | RejectedRow]:
    """Rows with the line that they begin on (a quoted field may contain line ends); blank lines are no rows."""
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RejectedRow(line, (Reason(f"not CSV ({error})"),))
        else:
            if len(row) == width:
                yield line, row
            elif row:
                yield RejectedRow(line, (_other_width(len(row), width),), tuple(row))
        line = reader.line_num + 1


def _other_width(fields: int, width: int) -> Reason:
    kind = "number of fields differs from the header's"
    return Reason(kind, f"{kind} ({fields}, not {width})")
