"""The database: which one, whether it answers, its schema, who is at work in it, and what it holds."""

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

from thetaline import db
from thetaline.db import embedded, job_lock
from thetaline.errors import DatabaseError, MigrationError
from thetaline.jobs.doctor.findings import Finding, fault, fine, note
from thetaline.jobs.doctor.installation import disk
from thetaline.masking import mask_url
from thetaline.settings import Settings

PART = "database"
_SQL = db.sql("jobs/doctor/doctor.sql")


def database(settings: Settings) -> Iterator[Finding]:
    """Nothing is changed, and an embedded database that was never used is not made."""
    if settings.database_url:
        yield fine(PART, "which", mask_url(settings.database_url))
        yield from _examined(settings.database_url)
        return
    yield fine(PART, "which", f"the embedded PostgreSQL in {settings.database_folder}")
    yield disk(settings.database_folder)
    if not (settings.database_folder / "data").exists():
        yield note(PART, "data", "none yet", "the first command that needs it makes it; try `thetaline demo`")
        return
    try:
        url = embedded.url(settings.database_folder)
    except DatabaseError as error:
        yield fault(PART, "server", error, f"see the end of {settings.database_folder / 'server.log'}")
        return
    yield from _examined(url)


def _examined(url: str) -> Iterator[Finding]:
    try:
        with db.connect(url, name="thetaline doctor", autocommit=True) as conn:
            yield from _answering(conn)
    except DatabaseError as error:
        yield fault(
            PART, "server", error, "start that server, mend DATABASE_URL, or unset it for the embedded database"
        )
    except psycopg.Error as error:
        yield fault(PART, "contents", db.explained(error, url), "the tables are not as this version made them")


def _answering(conn: psycopg.Connection[Any]) -> Iterator[Finding]:
    server = _rows(conn, "server")[0]
    yield fine(PART, "server", f"PostgreSQL {server['version']}, {server['n_bytes'] / 1e6:,.0f} MB in this database")
    try:
        db.check_migrated(conn)
    except MigrationError as error:
        yield fault(PART, "schema", error, "thetaline db migrate")
        return
    yield fine(PART, "schema", "that of this version")
    yield from _under_way(conn)
    yield from _last_runs(conn)
    yield _contents(conn)


def _under_way(conn: psycopg.Connection[Any]) -> Iterator[Finding]:
    """A run whose job's lock is free has lost its process: an orphan."""
    for run in _rows(conn, "running"):
        told = f"{run['run_id']} since {run['started_at']:%Y-%m-%d %H:%M} UTC, process {run['pid']} on {run['host']}"
        holder = job_lock.holder(conn, run["job"])
        if holder:
            yield note("runs", run["job"], f"under way: {holder}")
        else:
            yield fault("runs", run["job"], f"orphaned: {told}", "the next start of this job closes it; start it again")


def _last_runs(conn: psycopg.Connection[Any]) -> Iterator[Finding]:
    for run in _rows(conn, "last_runs"):
        told = f"{run['run_id']} for {run['as_of']}: {run['state']}"
        if run["state"] in {"failed", "held"}:
            why = f" ({run['error']})" if run["error"] else ""
            yield note("runs", run["job"], told + why, f"thetaline runs show {run['run_id']}")
        else:
            yield fine("runs", run["job"], told)


def _contents(conn: psycopg.Connection[Any]) -> Finding:
    held = _rows(conn, "counts")[0]
    if not held["answers"]:
        return note(PART, "contents", "no answers yet", "thetaline import FILE, or thetaline demo")
    return fine(
        PART,
        "contents",
        f"{held['answers']:,} answers of {held['learners']:,} learners to {held['questions']:,} questions "
        f"({held['anchors']:,} anchors), the last on {held['last_answer']:%Y-%m-%d}",
    )


def _rows(conn: psycopg.Connection[Any], statement: str) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_SQL[statement]).fetchall()
