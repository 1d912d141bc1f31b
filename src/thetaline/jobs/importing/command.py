"""The options of `thetaline import`."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from thetaline.errors import InputError
from thetaline.jobs.command_line import DryRunOption, parse_day, parse_time_zone, print_message, run_app
from thetaline.jobs.importing.answer_key import read_answer_key
from thetaline.jobs.importing.columns import Columns, Role
from thetaline.jobs.importing.import_file import import_file
from thetaline.jobs.importing.options import ParseOptions, row_filter
from thetaline.jobs.importing.presets import built_in_presets, find_preset
from thetaline.jobs.importing.report import calibration_command, other_days
from thetaline.jobs.importing.request import ImportRequest
from thetaline.jobs.importing.units import TimeUnit
from thetaline.jobs.importing.wide import WideForm
from thetaline.jobs.importing.words import Verdict, word_meaning
from thetaline.jobs.runner import JobContext, Summary, run_job
from thetaline.learning.school_calendar import SchoolCalendar

app = typer.Typer(add_completion=False)

_COLUMNS = "Columns (usual names are found by themselves)"
_ROWS = "Rows"
_VALUES = "How values are read"
_TIMES = "Times and days"
_PRESETS = ", ".join(built_in_presets())
_TIME_UNIT = "What a time that is a number counts: since 1970, or since the row's day began."
_TIME_ZONE = "Zone of times without an offset and of given days. Default: THETALINE_TIME_ZONE."
_DATE_OF = "Day of the rows with this value in --dated-by; repeat it."
_HELP = f"""Load answers from a CSV, TSV, JSON lines (each also .gz) or Parquet FILE.

A row is one answer; an empty answer is a question that was shown and not answered. With --wide a row is a learner and
a column an item, and an empty cell is no answer.
A row that cannot be taken stops the import before anything is written, unless --skip-bad sets it aside.
The same file twice adds nothing. Exports of known platforms are read by --preset: {_PRESETS}.
"""


def _option(panel: str, text: str, metavar: str | None = None) -> object:
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)


def _column(text: str) -> object:
    return _option(_COLUMNS, text, "COLUMN")


def _list_presets(name: str | None) -> str | None:
    if name != "list":
        return name
    for preset in built_in_presets().values():
        typer.echo(f"{preset.name}\n    {preset.title}\n    {preset.note}")
    raise typer.Exit


@app.command(help=_HELP)
def command(  # noqa: PLR0913  one parameter an option
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of answers.")],
    *,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=_list_presets,
            is_eager=True,
            help=f"Read the export of a platform: {_PRESETS}; `list` says what each reads; or a .toml of your own. "
            "Other options go over it.",
        ),
    ] = None,
    user: Annotated[list[str] | None, _column("Learner; of several columns when repeated.")] = None,
    item: Annotated[
        list[str] | None,
        _column(
            "Question; a code that is no number gets a question id of its own; of several columns when repeated, "
            "for example problem and step."
        ),
    ] = None,
    correct: Annotated[str | None, _column("Right or wrong: true/false, 1/0, yes/no, correct/incorrect …")] = None,
    score: Annotated[str | None, _column("Score 0..1, in place of --correct.")] = None,
    max_score: Annotated[
        str | None, _option(_COLUMNS, "What a full score is: a number, or the column that has it.", "NUMBER|COLUMN")
    ] = None,
    response: Annotated[str | None, _column("Option that was chosen, or text; --key says which are right.")] = None,
    time: Annotated[str | None, _column("When it was answered: a date and time, or a number (--time-unit).")] = None,
    zone: Annotated[str | None, _column("Time zone of the row's time.")] = None,
    order: Annotated[str | None, _column("Whole number that orders the rows of a file without times.")] = None,
    attempt: Annotated[str | None, _column("Number of the attempt, from 1 on; orders answers of one time.")] = None,
    topic: Annotated[list[str] | None, _column("Topic; a row has several topics when it is repeated.")] = None,
    session: Annotated[
        str | None, _column("Session; without it a learner's answers of one day are one session.")
    ] = None,
    response_time: Annotated[str | None, _column("Time taken, in the unit that its name tells (…_sec, …_ms).")] = None,
    hint: Annotated[str | None, _column("Whether, or how many, hints were used.")] = None,
    dated_by: Annotated[str | None, _column("Column whose values --date-of gives a day, for example the exam.")] = None,
    wide: Annotated[bool, _option(_ROWS, "A row is a learner and a column an item.")] = False,
    items: Annotated[
        list[str] | None, _option(_ROWS, "Item columns of a wide file, for example 'Q*'; repeat it.", "GLOB")
    ] = None,
    item_prefix: Annotated[
        str | None,
        _option(_ROWS, "What is put before each item's code, where other files number theirs alike: a quiz.", "NAME"),
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", metavar="COLUMN=VALUE", help="Take these rows only (also !=; A|B).", rich_help_panel=_ROWS
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="WORD=right|wrong|missing", help="What an answer's word means.", rich_help_panel=_VALUES
        ),
    ] = None,
    missing: Annotated[
        list[str] | None, _option(_VALUES, "Words for a missing answer or topic: NA,.,-9; repeat it.", "WORD")
    ] = None,
    key: Annotated[
        Path | None, _option(_VALUES, "File with columns item and key (A|C for several), and score for credit.", "FILE")
    ] = None,
    score_threshold: Annotated[
        float | None, _option(_VALUES, "A score at or above it (of a full one) is a correct answer.", "0..1")
    ] = None,
    topic_separator: Annotated[str | None, _option(_VALUES, "What stands between topics of one value.", "TEXT")] = None,
    response_time_unit: Annotated[TimeUnit | None, _option(_VALUES, "What the time taken counts.")] = None,
    time_format: Annotated[
        str | None, _option(_TIMES, "How times are written, as of strptime: '%m/%d/%y %H:%M'.", "FORMAT")
    ] = None,
    time_unit: Annotated[TimeUnit | None, _option(_TIMES, _TIME_UNIT)] = None,
    time_zone: Annotated[str | None, _option(_TIMES, _TIME_ZONE, "ZONE")] = None,
    date_of: Annotated[list[str] | None, _option(_TIMES, _DATE_OF, "VALUE=YYYY-MM-DD")] = None,
    on: Annotated[
        str | None, _option(_TIMES, "Day of every row of a file without dates; rows keep their order.", "YYYY-MM-DD")
    ] = None,
    skip_bad: Annotated[
        Path | None, typer.Option("--skip-bad", metavar="FILE", help="Set bad rows aside there, load the rest.")
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Collect the options and run the import."""
    full = _full_score(max_score)
    columns = _columns(
        user, item, correct, score, None if full else max_score, response, time, zone, order, attempt, topic, session,
        response_time, hint, dated_by,
    )  # fmt: skip

    def work(context: JobContext) -> Summary:
        options = ParseOptions(
            threshold=_threshold(score_threshold),
            max_score=full,
            words=_words(maps or (), missing or ()),
            key=None if key is None else read_answer_key(key),
            item_prefix=None if item_prefix is None else item_prefix.strip(),
            topic_separator=topic_separator or None,
            filters=tuple(map(row_filter, filters or ())),
            time_unit=time_unit,
            time_format=time_format,
            response_time_unit=response_time_unit,
            dates=dict(_dated(text) for text in date_of or ()),
            on=parse_day("--on", on) if on else None,
            calendar=context.calendar if time_zone is None else _calendar(time_zone),
        )
        request = ImportRequest(
            columns=columns,
            options=options,
            wide=WideForm(items=tuple(items or ())) if wide or items else None,
            preset=None if preset is None else find_preset(preset),
        )
        summary = import_file(context, file, request, skip_bad=skip_bad)
        if note := other_days(options.calendar, context.calendar):
            print_message(note)
        if summary["answers"] and not context.dry_run:
            print_message(f"next: {calibration_command(summary, context)}")
        return summary

    raise typer.Exit(run_job("import_answers", work, dry_run=dry_run, writes_temp=True))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the import and return its exit code."""
    return run_app(app, argv, "thetaline import")


def _columns(*named: str | Sequence[str] | None) -> Columns:
    """The named columns of the roles, in their order."""
    pairs = zip(Role, named, strict=True)
    return {role: (name,) if isinstance(name, str) else tuple(name) for role, name in pairs if name}


def _words(maps: Sequence[str], missing: Sequence[str]) -> dict[str, Verdict]:
    several = (word.strip().casefold() for words in missing for word in words.split(","))
    return {
        **dict.fromkeys(several, Verdict.MISSING),
        **dict(map(word_meaning, maps)),
    }


def _threshold(value: float | None) -> float | None:
    if value is not None and not 0 < value <= 1:
        raise InputError(f"--score-threshold is {value}; it must be above 0 and at most 1")
    return value


def _calendar(time_zone: str) -> SchoolCalendar:
    return SchoolCalendar(parse_time_zone("--time-zone", time_zone))


def _full_score(text: str | None) -> float | None:
    """The number; None for a column's name."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    if not 0 < value < float("inf"):
        raise InputError(f"--max-score is {text}; it must be a number above 0, or the name of a column")
    return value


def _dated(text: str) -> tuple[str, date]:
    value, equals, day = text.rpartition("=")
    if not equals:
        raise InputError(f"--date-of {text!r} must be VALUE=YYYY-MM-DD")
    return value, parse_day("--date-of", day)
