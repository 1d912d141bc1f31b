"""The import: read, validate, stage, compare with what is stored, write; or stop before anything is written."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from thetaline.errors import InputError
from thetaline.jobs.command_line import print_message
from thetaline.jobs.importing.columns import ParseOptions, Role, assign
from thetaline.jobs.importing.files import AnswerFile, open_answer_file
from thetaline.jobs.importing.load import AnswerLoader
from thetaline.jobs.importing.rejected_rows import RejectedRows
from thetaline.jobs.importing.validation import RowValidator
from thetaline.jobs.progress import Update, progress
from thetaline.jobs.runner import JobContext, Summary


@dataclass(slots=True)
class _RowCount:
    rows: int = 0


def import_file(
    context: JobContext, path: Path, *, chosen: Mapping[Role, str], options: ParseOptions, skip_bad: Path | None = None
) -> Summary:
    """Load the answers of `path`; what is stored already is left alone, so the same file twice adds nothing.

    Raises InputError for the file or its columns, FileRowsError for its rows unless they go to `skip_bad`.
    """
    source = open_answer_file(path)
    columns = assign(source.names, chosen)
    _check_time(columns, options)
    _check_skip_bad(path, skip_bad)
    validator = RowValidator(columns, options, context.now)
    with RejectedRows(skip_bad, list(validator.names), keep=not context.dry_run) as rejected:
        counts = _load(context, source, validator, rejected)
        print_message(_in_words(path, counts, rejected, dry_run=context.dry_run))
    return {"file": path.name, **counts, "bad_rows": rejected.total, "bad_reasons": dict(rejected.counts)}


def _load(
    context: JobContext, source: AnswerFile, validator: RowValidator, rejected: RejectedRows
) -> dict[str, object]:
    started, count = time.monotonic(), _RowCount()
    loader = AnswerLoader(context.conn, list(validator.names.values()))
    with progress(f"reading {source.path.name}") as update:
        loader.stage(_valid_answers(source, validator, rejected, count, _with_rate(update, started)))
    if not count.rows:
        raise InputError(f"{source.path}: the file has no rows")
    counts = loader.compare(rejected)
    rejected.raise_if_any(source.path)
    if not context.dry_run and counts["answers"]:
        loader.write(file=source.path.name, now=context.now)
    seconds = time.monotonic() - started
    return {"rows": count.rows, **counts, "rows_per_sec": round(count.rows / max(seconds, 1e-9))}


def _valid_answers(
    source: AnswerFile, validator: RowValidator, rejected: RejectedRows, count: _RowCount, update: Update
) -> Iterator[pa.Table]:
    for batch in source.batches(list(validator.names)):
        validated = validator.check(batch)
        rejected.add(validated.rejected)
        count.rows += len(batch.lines) + len(batch.rejected)
        update(count.rows)
        yield validated.answers


def _with_rate(update: Update, started: float) -> Update:
    def update_rows(rows: int) -> None:
        update(rows, note=f"{rows:,} rows, {rows / max(time.monotonic() - started, 1e-9):,.0f} rows/s")

    return update_rows


def _check_time(columns: Mapping[Role, str], options: ParseOptions) -> None:
    if options.dates and Role.DATED_BY not in columns:
        raise InputError("--date-of needs --dated-by COLUMN, the column whose values it names")
    if Role.DATED_BY in columns and not options.dates:
        raise InputError(f"--dated-by {columns[Role.DATED_BY]} needs --date-of VALUE=YYYY-MM-DD for each of its values")
    if options.on and options.dates:
        raise InputError("--on gives every row its day, --date-of some rows theirs; use one of them")
    if Role.TIME not in columns and not options.on and not options.dates:
        raise InputError(
            "no column says when an answer was given; name it by --time, or give the day by --on YYYY-MM-DD"
        )


def _check_skip_bad(path: Path, skip_bad: Path | None) -> None:
    if skip_bad is not None and skip_bad.resolve() == path.resolve():
        raise InputError(f"--skip-bad {skip_bad} is the file that is imported; name another")


def _in_words(path: Path, counts: Mapping[str, object], rejected: RejectedRows, *, dry_run: bool) -> str:
    done = "would be added" if dry_run else "added"
    lines = [
        f"{path.name}: {counts['rows']:,} rows read",
        f"  {counts['answers']:,} answers {done} ({counts['unanswered']:,} of them unanswered questions): "
        f"{counts['learners']:,} learners, {counts['items']:,} questions ({counts['questions']:,} new), "
        f"{counts['sessions']:,} sessions",
    ]
    if counts["already_stored"]:
        lines.append(f"  {counts['already_stored']:,} answers are stored already, left as they are")
    if rejected.total:
        verb = "would be set aside" if dry_run else "set aside"
        lines.append(f"  {rejected.total:,} rows {verb} in {rejected.path}:\n{rejected.report()}")
    return "\n".join(lines)
