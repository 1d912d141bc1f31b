"""The import: read, validate, stage, compare with what is stored, write; or stop before anything is written."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pyarrow as pa

from thetaline.errors import InputError
from thetaline.jobs.command_line import print_message
from thetaline.jobs.importing.columns import Columns, Role
from thetaline.jobs.importing.files import RowBatch, open_answer_file
from thetaline.jobs.importing.instants import RowInstants
from thetaline.jobs.importing.load import AnswerLoader
from thetaline.jobs.importing.options import ParseOptions
from thetaline.jobs.importing.rejected_rows import RejectedRows
from thetaline.jobs.importing.report import mapping_in_words, result_in_words
from thetaline.jobs.importing.request import FileMapping, ImportRequest, map_file
from thetaline.jobs.importing.validation import RowValidator
from thetaline.jobs.progress import Update, progress
from thetaline.jobs.runner import JobContext, Summary, summary_on_error


@dataclass(slots=True)
class _RowCount:
    rows: int = 0
    filtered: int = 0
    empty_cells: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def import_file(context: JobContext, path: Path, request: ImportRequest, *, skip_bad: Path | None = None) -> Summary:
    """Load the answers of `path`; what is stored already is left alone, so the same file twice adds nothing.

    Raises InputError for the file or its columns, FileRowsError for its rows unless they go to `skip_bad`.
    """
    mapping = map_file(open_answer_file(path), request)
    _check_time(mapping.columns, mapping.options)
    _check_skip_bad(path, skip_bad)
    batches = mapping.source.batches(list(mapping.names))
    first = next(batches, None)
    if first is None:
        raise InputError(f"{path}: the file has no rows")
    instants = RowInstants.of_file(mapping.columns, mapping.options, context.now, first)
    validator = RowValidator(mapping.columns, mapping.options, instants)
    columns = mapping.in_words(validator.units)
    print_message(mapping_in_words(mapping, validator.units))
    with (
        summary_on_error({"file": path.name, "columns": columns}),
        RejectedRows(skip_bad, list(mapping.names), keep=not context.dry_run) as rejected,
    ):
        counts = _load(context, mapping, validator, batches=chain([first], batches), rejected=rejected)
        print_message(result_in_words(counts, rejected, dry_run=context.dry_run))
    return {
        "file": path.name,
        "columns": columns,
        **counts,
        "bad_rows": rejected.total,
        "bad_reasons": dict(rejected.counts),
    }


def _load(
    context: JobContext,
    mapping: FileMapping,
    validator: RowValidator,
    *,
    batches: Iterator[RowBatch],
    rejected: RejectedRows,
) -> dict[str, object]:
    started, count, path = time.monotonic(), _RowCount(), mapping.source.path
    loader = AnswerLoader(context.conn, list(mapping.names.values()))
    with progress(f"reading {path.name}") as update:
        update_rate = _with_rate(update, started)
        loader.stage(_valid_answers(batches, validator, rejected=rejected, count=count, update=update_rate))
    if not count.rows:
        raise InputError(f"{path}: the file has no rows")
    loader.refuse_places_of_others(mapping.places, file=path.name)
    known = loader.known(Role.ITEM, file=path.name) if mapping.named_by_columns else {}
    counts = loader.compare(rejected)
    rejected.raise_if_any(path)
    if not context.dry_run and counts["answers"]:
        loader.write(file=path.name, now=context.now)
    seconds = time.monotonic() - started
    return {
        "rows": count.rows,
        "filtered_rows": count.filtered,
        "empty_cells": count.empty_cells,
        "left_out_values": dict(count.left_out),
        **counts,
        "questions_of_other_files": known,
        "rows_per_sec": round(count.rows / max(seconds, 1e-9)),
    }


def _valid_answers(
    batches: Iterator[RowBatch], validator: RowValidator, *, rejected: RejectedRows, count: _RowCount, update: Update
) -> Iterator[pa.Table]:
    for batch in batches:
        validated = validator.check(batch, count.rows)
        rejected.add(validated.rejected)
        count.rows += len(batch.lines) + len(batch.rejected)
        count.filtered += validated.filtered
        count.empty_cells += batch.empty_cells
        count.left_out += validated.left_out
        update(count.rows)
        yield validated.answers


def _with_rate(update: Update, started: float) -> Update:
    def update_rows(rows: int) -> None:
        update(rows, note=f"{rows:,} rows, {rows / max(time.monotonic() - started, 1e-9):,.0f} rows/s")

    return update_rows


def _check_time(columns: Columns, options: ParseOptions) -> None:
    if options.dates and Role.DATED_BY not in columns:
        raise InputError("--date-of needs --dated-by COLUMN, the column whose values it names")
    if Role.DATED_BY in columns and not options.dates:
        raise InputError(
            f"--dated-by {columns[Role.DATED_BY][0]} needs --date-of VALUE=YYYY-MM-DD for each of its values"
        )
    if options.on and options.dates:
        raise InputError("--on gives every row its day, --date-of some rows theirs; use one of them")
    if Role.TIME not in columns and not options.on and not options.dates:
        raise InputError(
            "no column says when an answer was given; name it by --time, or give the day by --on YYYY-MM-DD"
        )


def _check_skip_bad(path: Path, skip_bad: Path | None) -> None:
    if skip_bad is not None and skip_bad.resolve() == path.resolve():
        raise InputError(f"--skip-bad {skip_bad} is the file that is imported; name another")
