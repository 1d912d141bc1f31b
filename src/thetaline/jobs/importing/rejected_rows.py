"""The rows that an import rejects: counted by reason, the first shown, all written to a file if one is named."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from thetaline.errors import FileRowsError, InputError
from thetaline.jobs.importing.files import RejectedRow

SHOWN = 20


class RejectedRows(AbstractContextManager["RejectedRows"]):
    """Collects rows in bounded memory; with `path` they are written there once the import succeeds."""

    def __init__(self, path: Path | None, columns: Sequence[str], *, keep: bool = True) -> None:
        """`columns` names the values of a row; where `path` is None any rejected row stops the import.

        Without `keep` (a dry run) no file is left at `path`.
        """
        self.path = path
        self.counts: Counter[str] = Counter()
        self.first: list[RejectedRow] = []
        self._columns = columns
        self._part = path.with_name(path.name + ".part") if path else None
        self._keep = keep

    def __enter__(self) -> Self:
        """Open the file. Raises InputError when it cannot be written."""
        if self._part is not None:
            try:
                self._file = self._part.open("w", newline="", encoding="utf-8")
            except OSError as error:
                raise InputError(f"--skip-bad {self.path}: cannot be written ({error.strerror})") from None
            self._writer = csv.writer(self._file)
            self._writer.writerow(["line", "reason", *self._columns])
        return self

    def __exit__(self, kind: object, _fault: object, _trace: object) -> None:
        """Keep the file only when the import succeeded and was no dry run."""
        if self._part is None or self.path is None:
            return
        self._file.close()
        if kind is None and self._keep:
            self._part.replace(self.path)
        else:
            self._part.unlink(missing_ok=True)

    @property
    def total(self) -> int:
        """The number of rows."""
        return self.counts.total()

    def add(self, rows: Iterable[RejectedRow]) -> None:
        """Count the rows, keep the first, write all to the file."""
        for row in rows:
            self.counts[row.reason] += 1
            if len(self.first) < SHOWN:
                self.first.append(row)
            if self._part is not None:
                self._writer.writerow([row.line, row.reason, *row.values])

    def raise_if_any(self, source: Path) -> None:
        """Raise FileRowsError with the first rows and the count of every reason, unless they go to a file."""
        if self.total and self.path is None:
            raise FileRowsError(f"{source}: {self.total} rows cannot be taken; nothing was written.\n{self.report()}")

    def report(self) -> str:
        """The first rows by line, then the totals by reason, then what can be done."""
        rows = [_row_text(row) for row in sorted(self.first, key=lambda row: row.line)]
        more = [f"  … and {self.total - len(rows)} more"] if self.total > len(rows) else []
        totals = [f"  {count} × {reason}" for reason, count in self.counts.most_common()]
        advice = "Correct the file, or set these rows aside with --skip-bad FILE and load the rest."
        return "\n".join([*rows, *more, "By reason:", *totals, *([] if self.path else [advice])])


def _row_text(row: RejectedRow) -> str:
    values = ", ".join("(empty)" if value is None else _short(value) for value in row.values)
    return f"  line {row.line}: {row.reason}" + (f"   [{values}]" if values else "")


def _short(value: str) -> str:
    shown = value.encode("unicode_escape").decode() if not value.isprintable() else value
    return shown if len(shown) <= 40 else f"{shown[:37]}…"
