"""`thetaline reports`: make the weekly reports; list, link to, take back what is stored; compare it with the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import psycopg
import typer

from thetaline import db
from thetaline.cli.tables import table
from thetaline.db import ledger
from thetaline.errors import InputError, StorageError
from thetaline.jobs.command_line import DryRunOption, default_command, parse_day, print_message
from thetaline.jobs.reports.artifacts import (
    StoredReport,
    delete_unnamed,
    delete_waiting,
    forget_missing,
    give_up,
    reconcile,
    stored_reports,
)
from thetaline.jobs.reports.command import make as make_
from thetaline.jobs.reports.keys import JOB, About
from thetaline.jobs.reports.storage import open_store
from thetaline.jobs.runner import prepare_database
from thetaline.learning.windows import monday
from thetaline.settings import Settings, load

KEYS_SHOWN = 20
HEAD = ("of", "id", "week", "format", "language", "made", "", "where")
app = typer.Typer(
    add_completion=False,
    cls=default_command("list"),
    help="Make, list, link to, prune, erase or check the weekly reports; without a command: list.",
)
app.command("make")(make_)

UserOption = Annotated[str | None, typer.Option("--user", help="Of this learner.")]
ClassOption = Annotated[str | None, typer.Option("--class", help="Of this class.")]
WeekOption = Annotated[str | None, typer.Option("--week", metavar="YYYY-MM-DD", help="A day of the week.")]


@app.command("list")
def list_(
    user: UserOption = None,
    classroom: ClassOption = None,
    week: WeekOption = None,
    most: Annotated[int, typer.Option("--limit", min=1, help="How many, newest week first.")] = 20,
) -> None:
    """List what is stored."""
    about, owner = _owner(user, classroom)
    with _database() as (conn, _):
        found = stored_reports(conn, about=about, owner=owner, week=_week(week), most=most)
    if not found:
        typer.echo("no reports are stored; `thetaline reports make` makes them", err=True)
        return
    typer.echo(table(HEAD, [_row(one) for one in found]))


@app.command()
def link(
    user: UserOption = None,
    classroom: ClassOption = None,
    week: WeekOption = None,
    format_: Annotated[str, typer.Option("--format", help="html, pdf, teacher.html, …")] = "html",
) -> None:
    """Show a link that opens a report for REPORT_LINK_SECS seconds; of a folder, the file. Default: the newest week."""
    about, owner = _owner(user, classroom)
    if owner is None:
        raise InputError("say whose report: --user ID or --class ID")
    with _database() as (conn, settings):
        found = stored_reports(conn, about=about, owner=owner, week=_week(week), format_=format_, most=1)
    if not found:
        raise InputError(f"no {format_} report of {owner!r} is stored; `thetaline reports list` shows what is")
    if found[0].superseded_at is not None:
        raise InputError(
            f"the report of {owner!r} for {found[0].week_start} rests on a run that was retracted; "
            f"`thetaline reports make --week {found[0].week_start}` makes it again"
        )
    store = open_store(settings, found[0].store)
    key = found[0].object_key
    typer.echo(store.link(key, secs=settings.report_link_secs) if store.signs_links else store.path(key))


@app.command()
def prune(
    keep: Annotated[
        int, typer.Option("--keep-days", min=1, help="Days after the end of its week that a report is kept.")
    ],
    dry_run: DryRunOption = False,
) -> None:
    """Delete reports of weeks that ended more than so many days ago."""
    before = monday(datetime.now(UTC).date() - timedelta(days=keep))
    _give_up(before=before, reason="expired", dry_run=dry_run, what=f"of weeks before {before}")


@app.command()
def erase(user: Annotated[str, typer.Option("--user", help="Whose.")], dry_run: DryRunOption = False) -> None:
    """Delete every report of a learner."""
    _give_up(owner=user, reason="erased", dry_run=dry_run, what=f"of {user!r}")


@app.command()
def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Forget rows whose file is gone; files that no row names are only listed.")
    ] = False,
) -> None:
    """Compare the store with the rows, both ways; exit 1 where they differ."""
    with _database() as (conn, settings):
        store = open_store(settings)
        found = reconcile(conn, store)
        for what, keys in (("row without a file", found.missing), ("file without a row", found.unnamed)):
            for key in keys[:KEYS_SHOWN]:
                typer.echo(f"{what}: {store.url(key)}")
            if len(keys) > KEYS_SHOWN:
                typer.echo(f"{what}: {len(keys) - KEYS_SHOWN} more")
        if repair and found.missing:
            n = forget_missing(conn, store, found.missing)
            conn.commit()
            print_message(f"{n} rows forgotten; `thetaline reports make` makes their reports again")
    if found.missing or found.unnamed:
        raise typer.Exit(1)
    print_message(f"every row has its file in {store.location}, and every file its row")


def _give_up(*, what: str, reason: str, dry_run: bool, owner: str | None = None, before: date | None = None) -> None:
    """Under the lock of the job, which could otherwise store again what it has read before."""
    now = datetime.now(UTC)
    with _database() as (conn, settings):
        if dry_run:
            n = give_up(conn, owner=owner, before=before, reason=reason, now=now, dry_run=True)
            print_message(f"{n} reports {what} would be deleted")
            return
        with ledger.hold_job(prepare_database(settings), JOB):
            n = give_up(conn, owner=owner, before=before, reason=reason, now=now, dry_run=False)
            conn.commit()
            deleted, faults = delete_waiting(conn, settings)
            if owner is not None:
                deleted += delete_unnamed(open_store(settings), owner)
    print_message(f"{n} reports {what} are given out no more; {deleted} files deleted")
    if faults:
        raise StorageError("; ".join(faults) + "; the next `thetaline reports make` or `prune` tries again")


def _owner(user: str | None, classroom: str | None) -> tuple[About | None, str | None]:
    if user is not None and classroom is not None:
        raise InputError("--user and --class exclude each other; give one of them")
    if classroom is not None:
        return About.CLASS, classroom
    return (None, None) if user is None else (About.LEARNER, user)


def _week(text: str | None) -> date | None:
    return None if text is None else monday(parse_day("--week", text))


def _row(one: StoredReport) -> list[object]:
    state = "superseded" if one.superseded_at else ""
    made = f"{one.generated_at:%Y-%m-%d %H:%M}"
    return [one.about, one.owner, one.week_start, one.format, one.language, made, state, one.url]


@contextmanager
def _database() -> Iterator[tuple[psycopg.Connection[Any], Settings]]:
    settings = load()
    with db.connect(prepare_database(settings), name="thetaline reports") as conn:
        yield conn, settings
