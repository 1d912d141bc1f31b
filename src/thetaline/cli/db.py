"""`thetaline db`: the embedded server, the schema and psql."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from thetaline import db
from thetaline.db import embedded, migrations
from thetaline.errors import InputError
from thetaline.jobs.runner import prepare_database
from thetaline.masking import mask_url
from thetaline.settings import Settings, load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Start, stop, migrate and query the database.\n\n"
    "Without DATABASE_URL this is an embedded PostgreSQL: it starts when a command needs it and stops by itself.",
)

ForceOption = Annotated[bool, typer.Option("--force", help="Even while other processes use the server.")]
AS_THEY_ARE = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command()
def path() -> None:
    """Print the folder of the embedded database."""
    typer.echo(load().database_folder)


@app.command()
def start(
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 365, help="How long it stays up though unused.")] = 8.0,
) -> None:
    """Start the embedded server and keep it up; print its URL."""
    folder = _embedded_folder(load(), "start")
    url = embedded.start(folder, hours=hours)
    prepare_database(load())
    typer.echo(url)
    typer.echo(f"stays up for {hours:g} h, or until `thetaline db stop`", err=True)


@app.command()
def stop(force: ForceOption = False) -> None:
    """Stop the embedded server."""
    stopped = embedded.stop(_embedded_folder(load(), "stop"), force=force)
    typer.echo("stopped" if stopped else "it was not running", err=True)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Say whether the server runs, for whom, and which schema it has. Exit code 1 when it does not run."""
    settings = load()
    found = _external_status(settings.database_url) if settings.database_url else _embedded_status(settings)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo("\n".join(f"{name:<9} {_said(value)}" for name, value in found.items()))
    raise typer.Exit(0 if found["running"] else 1)


@app.command()
def migrate(
    to: Annotated[str | None, typer.Option(metavar="N", help="Stop at this revision.")] = None,
    as_sql: Annotated[bool, typer.Option("--sql", help="Print a script for psql instead; change nothing.")] = False,
    start: Annotated[
        str | None, typer.Option("--from", metavar="N", help="With --sql: for a database at N (0: empty), unseen.")
    ] = None,
) -> None:
    """Bring the schema to this version: run the migrations that the database lacks, each in one transaction."""
    if as_sql:
        _print_script(start, to)
        return
    if start is not None:
        raise InputError("--from goes with --sql: what a database lacks is asked of the database itself")
    at = migrations.migrate(_server(load()), to=to, progress=lambda done: typer.echo(f"ran {done}", err=True))
    typer.echo(f"at revision {at}", err=True)


@app.command()
def history(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """List the migrations: which were run when and by whom, which are pending, which have changed since."""
    with db.connect(_server(load())) as conn:
        lines = migrations.history(conn)
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], default=str))
        return
    for line in lines:
        when = f"{line.applied_at:%Y-%m-%d %H:%M:%S} UTC by {line.applied_by}" if line.applied_at else ""
        typer.echo(f"{line.revision}  {line.name:<24} {line.state:<8} {when}".rstrip())


@app.command()
def stamp(revision: Annotated[str, typer.Argument(metavar="N", help="The revision; 0: no migration was run.")]) -> None:
    """Record that the database is at a revision, and run nothing: after a repair, or a schema brought in by a copy."""
    typer.echo(
        f"recorded as revision {migrations.stamp(_server(load()), revision)}; now `thetaline db check`", err=True
    )


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Compare tables, columns, constraints, indexes, views, functions and grants with what the migrations make.

    Changes nothing: the migrations run in a schema of their own, which is rolled back. Exit code 1 for a difference.
    """
    with db.connect(_server(load())) as conn:
        found = migrations.differences(conn)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
    else:
        typer.echo("\n".join(map(str, found)) or "the schema is as the migrations make it")
    raise typer.Exit(1 if found else 0)


@app.command(context_settings=AS_THEY_ARE)
def psql(context: typer.Context) -> None:
    """Run psql on the database: `thetaline db psql -c "select 1"`, `-f FILE`, or a script on stdin."""
    url = _url(load())
    sys.stdout.flush()
    raise typer.Exit(embedded.psql(url, context.args))


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: ForceOption = False,
) -> None:
    """Delete the embedded database with all its data."""
    folder = _embedded_folder(load(), "reset")
    if not yes and not _confirmed(folder):
        raise InputError(f"{folder} was left as it is; answer yes, or add --yes")
    embedded.reset(folder, force=force)
    typer.echo(f"deleted the database in {folder}", err=True)


def _server(settings: Settings) -> str:
    """The database as it is, whatever its schema."""
    return settings.database_url or embedded.url(settings.database_folder)


def _print_script(start: str | None, to: str | None) -> None:
    if start is not None:
        typer.echo("\n".join(migrations.script(None, start=start, to=to)))
        return
    with db.connect(_server(load())) as conn:
        typer.echo("\n".join(migrations.script(conn, to=to)))


def _url(settings: Settings) -> str:
    """An external database as it is (psql is what one looks with when something is wrong); the embedded one made."""
    return settings.database_url or prepare_database(settings)


def _embedded_folder(settings: Settings, command: str) -> Path:
    if settings.database_url:
        raise InputError(
            f"`db {command}` is for the embedded server, but DATABASE_URL is {mask_url(settings.database_url)}; "
            "unset it, or see to that server by its own tools"
        )
    return settings.database_folder


def _confirmed(folder: Path) -> bool:
    typer.echo(f"This deletes every answer and every estimate in {folder}. Type yes to go on: ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() == "yes"


def _embedded_status(settings: Settings) -> dict[str, object]:
    found = embedded.status(settings.database_folder)
    seen = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(found).items()}
    return {"running": found.is_running, **seen}


def _external_status(url: str) -> dict[str, object]:
    with db.connect(url) as conn:
        version = conn.info.server_version
    return {"running": True, "url": mask_url(url), "version": f"{version // 10000}.{version % 10000}"}


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
