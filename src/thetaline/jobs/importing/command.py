"""The options of `thetaline import`."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from thetaline.errors import InputError
from thetaline.jobs.command_line import DryRunOption, parse_day, parse_time_zone, run_app
from thetaline.jobs.importing.columns import ParseOptions, Role, TimeUnit
from thetaline.jobs.importing.import_file import import_file
from thetaline.jobs.runner import JobContext, Summary, run_job
from thetaline.learning.school_calendar import SchoolCalendar

app = typer.Typer(add_completion=False)

_COLUMNS = "Columns (usual names are found by themselves)"
_VALUES = "How values are read"
_TIME_UNIT = "What a time that is a number counts: since 1970, or since the row's day began."
_TIME_ZONE = "Zone of times without an offset and of given days. Default: THETALINE_TIME_ZONE."
_DATE_OF = "Day of the rows with this value in --dated-by; repeat it."
_HELP = """Load answers from a CSV, TSV, JSON lines (each also .gz) or Parquet FILE.

A row is one answer; an empty answer is a question that was shown and not answered.
A row that cannot be taken stops the import before anything is written, unless --skip-bad sets it aside.
The same file twice adds nothing.
"""


def _column(text: str) -> object:
    return typer.Option(metavar="COLUMN", help=text, rich_help_panel=_COLUMNS)


def _value(text: str, metavar: str | None = None) -> object:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=_VALUES)


@app.command(help=_HELP)
def command(  # noqa: PLR0913  one parameter an option
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of answers.")],
    *,
    user: Annotated[str | None, _column("Learner.")] = None,
    item: Annotated[str | None, _column("Question; a code that is no number gets a question id of its own.")] = None,
    correct: Annotated[str | None, _column("Right or wrong: true/false, 1/0, yes/no.")] = None,
    score: Annotated[str | None, _column("Score 0..1, in place of --correct.")] = None,
    time: Annotated[str | None, _column("When it was answered: ISO 8601, or a number (--time-unit).")] = None,
    topic: Annotated[str | None, _column("Topic of the question.")] = None,
    session: Annotated[
        str | None, _column("Session; without it a learner's answers of one day are one session.")
    ] = None,
    response_time: Annotated[str | None, _column("Time taken, in milliseconds or as its name says (…_sec).")] = None,
    hint: Annotated[str | None, _column("Whether, or how many, hints were used.")] = None,
    dated_by: Annotated[str | None, _column("Column whose values --date-of gives a day, for example the exam.")] = None,
    score_threshold: Annotated[float | None, _value("A score at or above it is a correct answer.", "0..1")] = None,
    time_unit: Annotated[TimeUnit | None, _value(_TIME_UNIT)] = None,
    response_time_unit: Annotated[TimeUnit | None, _value("What the time taken counts.")] = None,
    date_of: Annotated[list[str] | None, _value(_DATE_OF, "VALUE=YYYY-MM-DD")] = None,
    time_zone: Annotated[str | None, _value(_TIME_ZONE, "ZONE")] = None,
    on: Annotated[str | None, _value("Day of every row of a file without dates.", "YYYY-MM-DD")] = None,
    skip_bad: Annotated[
        Path | None, typer.Option("--skip-bad", metavar="FILE", help="Set bad rows aside there, load the rest.")
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Collect the options and run the import."""
    named = (user, item, correct, score, time, topic, session, response_time, hint, dated_by)
    chosen = {role: name for role, name in zip(Role, named, strict=True) if name is not None}

    def work(context: JobContext) -> Summary:
        options = ParseOptions(
            threshold=_threshold(score_threshold),
            time_unit=time_unit,
            response_time_unit=response_time_unit,
            dates=dict(_dated(text) for text in date_of or ()),
            on=parse_day("--on", on) if on else None,
            calendar=context.calendar if time_zone is None else _calendar(time_zone),
        )
        return import_file(context, file, chosen=chosen, options=options, skip_bad=skip_bad)

    raise typer.Exit(run_job("import_answers", work, dry_run=dry_run, writes_temp=True))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the import and return its exit code."""
    return run_app(app, argv, "thetaline import")


def _threshold(value: float | None) -> float | None:
    if value is not None and not 0 < value <= 1:
        raise InputError(f"--score-threshold is {value}; it must be above 0 and at most 1")
    return value


def _calendar(time_zone: str) -> SchoolCalendar:
    return SchoolCalendar(parse_time_zone("--time-zone", time_zone))


def _dated(text: str) -> tuple[str, date]:
    value, equals, day = text.rpartition("=")
    if not equals:
        raise InputError(f"--date-of {text!r} must be VALUE=YYYY-MM-DD")
    return value, parse_day("--date-of", day)
