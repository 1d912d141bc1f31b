"""The rows that were not taken: counted by reason, the first shown, all of them set aside when a file is named."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from thetaline.errors import FileRowsError, InputError
from thetaline.jobs.importing.files import BadRow

SHOWN = 20


class BadRows(AbstractContextManager["BadRows"]):
    """Collects bad rows in bounded memory; with `aside` they are written there, in place when the import succeeds."""

    def __init__(self, aside: Path | None, columns: Sequence[str], *, keep: bool = True) -> None:
        """`columns` names what a row's values are; `aside` None means that any bad row stops the import.

        Without `keep` (a dry run) nothing is left at `aside`.
        """
        self.aside = aside
        self.counts: Counter[str] = Counter()
        self.first: list[BadRow] = []
        self._columns = columns
        self._part = aside.with_name(aside.name + ".part") if aside else None
        self._keep = keep

    def __enter__(self) -> Self:
        """Open the file for the rows that are set aside. Raises InputError when it cannot be written."""
        if self._part is not None:
            try:
                self._file = self._part.open("w", newline="", encoding="utf-8")
            except OSError as fault:
                raise InputError(f"--skip-bad {self.aside}: cannot be written ({fault.strerror})") from None
            self._writer = csv.writer(self._file)
            self._writer.writerow(["line", "reason", *self._columns])
        return self

    def __exit__(self, kind: object, _fault: object, _trace: object) -> None:
        """Keep the file only when the import went well, and was no rehearsal."""
        if self._part is None or self.aside is None:
            return
        self._file.close()
        if kind is None and self._keep:
            self._part.replace(self.aside)
        else:
            self._part.unlink(missing_ok=True)

    @property
    def total(self) -> int:
        """How many rows were not taken."""
        return self.counts.total()

    def add(self, rows: Iterable[BadRow]) -> None:
        """Count the rows, remember the first, and set them aside."""
        for row in rows:
            self.counts[row.reason] += 1
            if len(self.first) < SHOWN:
                self.first.append(row)
            if self._part is not None:
                self._writer.writerow([row.line, row.reason, *row.values])

    def refuse(self, path: Path) -> None:
        """Raise FileRowsError with the first rows and the count of every reason, unless bad rows are set aside."""
        if self.total and self.aside is None:
            raise FileRowsError(f"{path}: {self.total} rows cannot be taken; nothing was written.\n{self.told()}")

    def told(self) -> str:
        """The first rows in the order of their lines, then the totals, then what can be done."""
        rows = [_told(row) for row in sorted(self.first, key=lambda row: row.line)]
        more = [f"  … and {self.total - len(rows)} more"] if self.total > len(rows) else []
        totals = [f"  {count} × {reason}" for reason, count in self.counts.most_common()]
        advice = "Mend the file, or set these rows aside with --skip-bad FILE and load the rest."
        return "\n".join([*rows, *more, "By reason:", *totals, *([] if self.aside else [advice])])


def _told(row: BadRow) -> str:
    held = ", ".join("(empty)" if value is None else _short(value) for value in row.values)
    return f"  line {row.line}: {row.reason}" + (f"   [{held}]" if held else "")


def _short(value: str) -> str:
    shown = value.encode("unicode_escape").decode() if not value.isprintable() else value
    return shown if len(shown) <= 40 else f"{shown[:37]}…"
