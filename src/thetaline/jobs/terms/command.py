"""`thetaline calendar`: what the school's calendar holds, and the import of a file into it."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from thetaline import db
from thetaline.errors import InputError
from thetaline.jobs.command_line import DryRunOption, default_command
from thetaline.jobs.runner import prepare_database
from thetaline.jobs.terms.files import read_periods
from thetaline.jobs.terms.store import StoredPeriod, replace_periods, stored_periods
from thetaline.learning.term_calendar import PeriodKind
from thetaline.settings import load

app = typer.Typer(
    add_completion=False,
    cls=default_command("list"),
    help="List or import holidays, vacations and weeks of exams; without a command: list.",
)


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """List all periods, the earliest first."""
    with db.connect(prepare_database(load()), name="thetaline calendar") as conn:
        periods = stored_periods(conn)
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in periods], ensure_ascii=False, default=str))
    else:
        typer.echo("\n".join(map(_line, periods)) or "the calendar is empty: every day is a school day")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV (first_day,last_day,kind,name) or iCalendar (.ics).")],
    kind: Annotated[
        PeriodKind | None, typer.Option("--kind", help="Of rows and events that name none of the three.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", help="Whose periods these replace. Default: the name of the file."),
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Put the periods of a file in place of those that came from the same source before."""
    name = (source if source is not None else file.stem).strip()
    if not name:
        raise InputError("--source is empty; give a name that the next import of the same calendar will have too")
    periods = read_periods(file, kind=kind)
    settings = load()
    with db.connect(prepare_database(settings), name="thetaline calendar") as conn:
        n_before = replace_periods(conn, name, periods)
        (conn.rollback if dry_run or settings.dry_run else conn.commit)()
    counts = {one: sum(period.kind is one for period in periods) for one in PeriodKind}
    typer.echo(json.dumps({"source": name, "n_periods": len(periods), "n_replaced": n_before, **counts}))


def _as_json(stored: StoredPeriod) -> dict[str, Any]:
    return {**stored.period._asdict(), "source": stored.source}


def _line(stored: StoredPeriod) -> str:
    one = stored.period
    return f"{one.first_day} – {one.last_day}  {one.kind:<8}  {one.name}  ({stored.source})"
