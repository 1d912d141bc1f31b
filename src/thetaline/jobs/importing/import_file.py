"""The import as a whole: read, check, stage, compare, write; or stop before anything is written."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from thetaline.errors import InputError
from thetaline.jobs.command_line import print_message
from thetaline.jobs.importing.columns import Reading, Role, assign
from thetaline.jobs.importing.files import Source, open_source
from thetaline.jobs.importing.load import Loading
from thetaline.jobs.importing.rejected_rows import BadRows
from thetaline.jobs.importing.validation import Checker
from thetaline.jobs.progress import Update, progress
from thetaline.jobs.runner import JobContext, Summary


@dataclass(slots=True)
class _Tally:
    rows: int = 0


def import_file(
    context: JobContext, path: Path, *, chosen: Mapping[Role, str], reading: Reading, skip_bad: Path | None = None
) -> Summary:
    """Load the answers of `path`; what is stored already is left alone, so the same file twice adds nothing.

    Raises InputError for the file or its columns, FileRowsError for its rows unless they go to `skip_bad`.
    """
    source = open_source(path)
    columns = assign(source.names, chosen)
    _check_time(columns, reading)
    _check_aside(path, skip_bad)
    checker = Checker(columns, reading, context.now)
    with BadRows(skip_bad, list(checker.names), keep=not context.dry_run) as bad:
        counts = _load(context, source, checker, bad)
        print_message(_in_words(path, counts, bad, dry_run=context.dry_run))
    return {"file": path.name, **counts, "bad_rows": bad.total, "bad_reasons": dict(bad.counts)}


def _load(context: JobContext, source: Source, checker: Checker, bad: BadRows) -> dict[str, object]:
    started, tally = time.monotonic(), _Tally()
    loading = Loading(context.conn, list(checker.names.values()))
    with progress(f"reading {source.path.name}") as update:
        loading.stage(_checked(source, checker, bad, tally, _paced(update, started)))
    if not tally.rows:
        raise InputError(f"{source.path}: the file has no rows")
    counts = loading.compare(bad)
    bad.refuse(source.path)
    if not context.dry_run and counts["answers"]:
        loading.write(file=source.path.name, now=context.now)
    seconds = time.monotonic() - started
    return {"rows": tally.rows, **counts, "rows_per_sec": round(tally.rows / max(seconds, 1e-9))}


def _checked(source: Source, checker: Checker, bad: BadRows, tally: _Tally, update: Update) -> Iterator[pa.Table]:
    for batch in source.batches(list(checker.names)):
        checked = checker.check(batch)
        bad.add(checked.bad)
        tally.rows += len(batch.lines) + len(batch.unreadable)
        update(tally.rows)
        yield checked.answers


def _paced(update: Update, started: float) -> Update:
    def told(rows: int) -> None:
        update(rows, note=f"{rows:,} rows, {rows / max(time.monotonic() - started, 1e-9):,.0f} rows/s")

    return told


def _check_time(columns: Mapping[Role, str], reading: Reading) -> None:
    if reading.dates and Role.DATED_BY not in columns:
        raise InputError("--date-of needs --dated-by COLUMN, the column whose values it names")
    if Role.DATED_BY in columns and not reading.dates:
        raise InputError(f"--dated-by {columns[Role.DATED_BY]} needs --date-of VALUE=YYYY-MM-DD for each of its values")
    if reading.on and reading.dates:
        raise InputError("--on gives every row its day, --date-of some rows theirs; use one of them")
    if Role.TIME not in columns and not reading.on and not reading.dates:
        raise InputError(
            "no column says when an answer was given; name it by --time, or give the day by --on YYYY-MM-DD"
        )


def _check_aside(path: Path, skip_bad: Path | None) -> None:
    if skip_bad is not None and skip_bad.resolve() == path.resolve():
        raise InputError(f"--skip-bad {skip_bad} is the file that is imported; name another")


def _in_words(path: Path, counts: Mapping[str, object], bad: BadRows, *, dry_run: bool) -> str:
    done = "would be added" if dry_run else "added"
    lines = [
        f"{path.name}: {counts['rows']:,} rows read",
        f"  {counts['answers']:,} answers {done} ({counts['unanswered']:,} of them unanswered questions): "
        f"{counts['learners']:,} learners, {counts['items']:,} questions ({counts['questions']:,} new), "
        f"{counts['sessions']:,} sessions",
    ]
    if counts["already_stored"]:
        lines.append(f"  {counts['already_stored']:,} answers are stored already, left as they are")
    if bad.total:
        aside = "would be set aside" if dry_run else "set aside"
        lines.append(f"  {bad.total:,} rows {aside} in {bad.aside}:\n{bad.told()}")
    return "\n".join(lines)
