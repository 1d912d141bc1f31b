"""What every kind of file becomes: names of columns, and batches of rows as text."""

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa

from thetaline.errors import InputError

BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is rejected: `kind` is what rows are counted by, `text` may name the values of one row."""

    kind: str
    text: str = ""

    def __str__(self) -> str:
        """The text, where there is one."""
        return self.text or self.kind


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is rejected: its line (in Parquet: its number), all reasons, its values."""

    line: int
    reasons: tuple[Reason, ...]
    values: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows as text: `lines` (n,) and, for each name, (n,) values of which None is an empty field."""

    lines: Sequence[int]
    columns: dict[str, pa.Array]
    rejected: tuple[RejectedRow, ...] = ()
    empty_cells: int = 0  # of a wide file, which are no rows


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file with the names of its columns; `batches` reads some of the columns.

    A name that the header has again is listed as `name #2`, `name #3`; `kind` says what the file is, for people.
    """

    path: Path
    names: tuple[str, ...]
    kind: str
    batches: Callable[[Sequence[str]], Iterator[RowBatch]]
    repeated: frozenset[str] = frozenset()  # names that the header has more than once


def unique_names(header: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The header's names without blanks around them, those that come again numbered, and which these are."""
    seen: Counter[str] = Counter()
    names = []
    for name in map(str.strip, header):
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return tuple(names), frozenset(name for name, times in seen.items() if times > 1)


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
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
            return (
                f"not UTF-8 text (byte 0x{byte:02x}); convert it, from cp949 for example by `iconv -f cp949 -t utf-8`"
            )
        case EOFError():
            return "the compressed file is truncated; fetch it again"
        case gzip.BadGzipFile() | zlib.error():
            return f"broken gzip data ({error}); fetch it again"
        case pa.ArrowException():
            return f"no readable Parquet file ({str(error).splitlines()[0]})"
        case OSError():
            return f"cannot be read ({error.strerror or error})"
    return None


def open_text(path: Path) -> IO[str]:
    """The file's text, also of a .gz; a byte order mark is no part of it."""
    raw = gzip.GzipFile(path) if path.name.lower().endswith(".gz") else path.open("rb")
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
