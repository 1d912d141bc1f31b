"""The rows that an import rejects: counted by reason, the first shown, all written to a file if one is named."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from thetaline.errors import FileRowsError, InputError
from thetaline.jobs.importing.files import RejectedRow

SHOWN = 20
EXAMPLES = 5  # lines of each reason

# What can be done about a reason, by its beginning.
_ADVICE = {
    "no user": "say which column tells the learner by --user, where this one is empty",
    "answer is neither": "say what its words mean by --map WORD=right|wrong|missing, or --missing WORD; "
    "of a wide file, which columns are items by --items",
    "score is outside": "say what a full score is by --max-score",
    "the key has no such item": "add it to the --key file, or leave such rows aside with --filter",
    "number of fields": "a field with the delimiter in it needs quotes",
    "contradictory answers": "say what tells them apart: --time, --attempt, --order or --session",
    "the same answer": "if they are attempts, say what orders them: --attempt or --order",
    "no date is given": "name the value's day by --date-of",
}


class RejectedRows(AbstractContextManager["RejectedRows"]):
    """Collects rows in bounded memory; with `path` they are written there once the import succeeds."""

    def __init__(self, path: Path | None, columns: Sequence[str], *, keep: bool = True) -> None:
        """`columns` names the values of a row; where `path` is None any rejected row stops the import.

        Without `keep` (a dry run) no file is left at `path`.
        """
        self.path = path
        self.total = 0
        self.counts: Counter[str] = Counter()
        self.first: list[RejectedRow] = []
        self._lines: dict[str, list[int]] = defaultdict(list)
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

    def add(self, rows: Iterable[RejectedRow]) -> None:
        """Count the rows under each of their reasons, keep the first, write all to the file."""
        for row in rows:
            self.total += 1
            for kind in {reason.kind for reason in row.reasons}:
                self.counts[kind] += 1
                lines = self._lines[kind]
                if len(lines) < EXAMPLES and row.line not in lines[-1:]:  # a line of a wide file has several cells
                    lines.append(row.line)
            if len(self.first) < SHOWN:
                self.first.append(row)
            if self._part is not None:
                self._writer.writerow([row.line, _reasons(row), *row.values])

    def raise_if_any(self, source: Path) -> None:
        """Raise FileRowsError with the first rows and the count of every reason, unless they go to a file."""
        if self.total and self.path is None:
            raise FileRowsError(f"{source}: {self.total} rows cannot be taken; nothing was written.\n{self.report()}")

    def report(self) -> str:
        """The first rows by line, then the totals by reason with examples, then what can be done."""
        rows = [self._row_text(row) for row in sorted(self.first, key=lambda row: row.line)]
        more = [f"  … and {self.total - len(rows)} more"] if self.total > len(rows) else []
        totals = [self._total(kind, count) for kind, count in self.counts.most_common()]
        advice = "Correct the file, or set these rows aside with --skip-bad FILE and load the rest."
        return "\n".join([*rows, *more, "By reason:", *totals, *([] if self.path else [advice])])

    def _total(self, kind: str, count: int) -> str:
        lines = self._lines[kind]
        where = f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}{', …' if count > len(lines) else ''}"
        advice = next((f"; {text}" for start, text in _ADVICE.items() if kind.startswith(start)), "")
        return f"  {count} × {kind} ({where}){advice}"

    def _row_text(self, row: RejectedRow) -> str:
        named = len(row.values) == len(self._columns)
        values = [
            (f"{_short(name)} " if named else "") + ("(empty)" if value is None else _short(value))
            for name, value in zip(self._columns if named else row.values, row.values, strict=True)
        ][:12]
        return f"  line {row.line}: {_reasons(row)}" + (f"   [{', '.join(values)}]" if values else "")


def _reasons(row: RejectedRow) -> str:
    return "; ".join(map(str, row.reasons))


def _short(value: str | None) -> str:
    text = value or ""
    shown = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return shown if len(shown) <= 40 else f"{shown[:37]}…"
