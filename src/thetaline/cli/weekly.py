"""How the commands of weekly models show the newest run: a table, or CSV of all columns."""

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from thetaline import db
from thetaline.cli.tables import output, table
from thetaline.errors import InputError
from thetaline.jobs.newest_rows import NewestRows
from thetaline.jobs.runner import date_of_run, prepare_database
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.settings import load

MOST_ROWS = 1_000_000_000
UserOption = Annotated[list[str] | None, typer.Option("--user", help="Only this learner; may be given again.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=MOST_ROWS, help="Rows of the table.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write all rows there; - is the output.")]
Cells = Callable[[dict[str, Any]], Sequence[object]]


class Asked(NamedTuple):
    """The options that these commands share."""

    date: str | None
    users: Sequence[str] | None
    most: int
    csv_file: Path | None


def show(
    report: NewestRows,
    asked: Asked,
    *,
    what: str,
    head: Sequence[str],
    cells: Cells,
    may_be_none: bool = False,
    **parameters: object,
) -> None:
    """Print the rows of the newest run up to a date.

    Raises InputError where there is no run, or none of its rows is of a learner asked for, unless that is no fault.
    """
    settings, csv_file = load(), asked.csv_file
    as_of = date_of_run(asked.date, SchoolCalendar(settings.time_zone), datetime.now(UTC))
    given = {"users": asked.users or None, "most": None if csv_file or asked.users else asked.most, **parameters}
    with db.connect(prepare_database(settings), name=f"thetaline {what}") as conn:
        found = report.newest(conn, as_of, **given)
        why = None if found else report.reason_of_none(conn, as_of, **given)
    if found is None:
        raise InputError(f"there are no {what} up to {as_of}: {why or 'run `thetaline nightly` first'}")
    if asked.users and not found.rows and not may_be_none:
        raise InputError(f"{found.run_id} has no {what} of {', '.join(map(repr, asked.users))}")
    if csv_file is None:
        typer.echo(table(head, [cells(row) for row in found.rows]))
    else:
        with output(csv_file) as file:
            writer = csv.DictWriter(file, report.columns)
            writer.writeheader()
            writer.writerows(found.rows)
    absent = sorted(set(asked.users or ()) - {row.get("user_id") for row in found.rows})
    source = found.run_id + (f"; none of {', '.join(map(repr, absent))}" if absent else "")
    typer.echo(f"{len(found.rows)} rows; {what} of the week that ends {found.as_of}, from {source}", err=True)
