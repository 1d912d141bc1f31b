"""`thetaline growth`: is a learner getting better, and will the goal be reached?"""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from thetaline import db
from thetaline.cli.tables import output, table
from thetaline.cli.weekly import MOST_ROWS
from thetaline.errors import InputError
from thetaline.jobs.command_line import DateOption
from thetaline.jobs.growth.report import COLUMNS, GrowthLines, current_lines, reason_of_none
from thetaline.jobs.runner import date_of_run, prepare_database
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.settings import load

HEAD = ("learner", "level now", "change a week", "", "goal", "by", "chance on the day", "chance before")
INTERVAL = 1.96  # standard errors to each side: 95 %
app = typer.Typer(add_completion=False)


@app.command()
def growth(
    user: Annotated[list[str] | None, typer.Option("--user", help="Only this learner; may be given again.")] = None,
    date: DateOption = None,
    most: Annotated[int, typer.Option("--limit", min=1, max=MOST_ROWS, help="Rows of the table of everybody.")] = 50,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write all rows there; - is the output.")
    ] = None,
) -> None:
    """Show each learner's level, its change a week with 95 % intervals, and the chance of reaching the goal in time."""
    settings = load()
    as_of = date_of_run(date, SchoolCalendar(settings.time_zone), datetime.now(UTC))
    with db.connect(prepare_database(settings), name="thetaline growth") as conn:
        found = current_lines(conn, as_of, users=user, most=None if csv_file or user else most)
        why = None if found else reason_of_none(conn, as_of)
    if found is None:
        raise InputError(f"there are no growth lines up to {as_of}: {why or 'run `thetaline nightly` first'}")
    if user and (absent := set(user) - {row["user_id"] for row in found.rows}):
        raise InputError(
            f"{found.run_id} has no line of {', '.join(map(repr, sorted(absent)))}; no answers in its weeks"
        )
    _show(found, csv_file)


def _show(found: GrowthLines, csv_file: Path | None) -> None:
    if csv_file is not None:
        with output(csv_file) as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(found.rows)
    else:
        typer.echo(table(HEAD, [_cells(row) for row in found.rows]))
    typer.echo(f"{len(found.rows)} rows; levels of the week that ends {found.as_of}, from {found.run_id}", err=True)


def _cells(row: dict[str, Any]) -> list[object]:
    line = [
        row["user_id"],
        _interval(row["level"], row["level_se"]),
        _interval(row["slope"], row["slope_se"]),
        row["trend"],
    ]
    if row["topic_id"] is None:
        return [*line, None, None, None, None]
    goal = row["topic_id"] if row["target_level"] is None else f"{row['topic_id']} {row['target_level']:+.2f}"
    return [
        *line,
        goal,
        row["target_date"],
        _chance(row["probability"], row["reason"]),
        _chance(row["ever_probability"], ""),
    ]


def _interval(value: float, se: float) -> str:
    return f"{value:+.2f} ({value - INTERVAL * se:+.2f} … {value + INTERVAL * se:+.2f})"


def _chance(probability: float | None, reason: str | None) -> str | None:
    return (reason or None) if probability is None else f"{probability:.0%}"
