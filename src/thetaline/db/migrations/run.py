"""Run migrations: each in a transaction of its own, one process at a time, or as a script for somebody else to run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from thetaline.db.connection import Connection, connect
from thetaline.db.migrations.files import EMPTY, GRANTS, Migration, migration_files, parse_revision, wanted
from thetaline.db.migrations.history import SQL, applied, check_not_newer, check_unchanged, current
from thetaline.db.statements import rendered
from thetaline.errors import InputError, MigrationError
from thetaline.masking import mask_text

OLDEST_SERVER = 160000  # pg_input_is_valid came with PostgreSQL 16
LOCK_SECS = 60.0  # behind another migrator, or behind whoever uses what the migration changes


def migrate(
    url: str,
    *,
    to: str | None = None,
    lock_secs: float = LOCK_SECS,
    progress: Callable[[Migration], object] | None = None,
) -> str:
    """Run the migrations that the database lacks, up to `to` or all; return the revision that it is at now.

    `progress` is called after each. Raises `InputError` for a revision that this version does not have or that lies
    behind, and `MigrationError` when a migration fails (it is undone, those before it stay), when one that was run has
    another text now, when the schema is newer than this version, or the server older than PostgreSQL 16.
    """
    target = wanted() if to is None else parse_revision(to)
    with connect(url, name="thetaline migrate", autocommit=True) as conn:
        _check_server(conn, url)
        _check_way(conn, target)
        with _locked(conn, lock_secs):
            conn.execute(bookkeeping())
        for migration in migration_files():
            if migration.revision <= target and _run(conn, migration, lock_secs) and progress is not None:
                progress(migration)
        with _locked(conn, lock_secs):
            conn.execute(grants())
    return target


def stamp(url: str, revision: str) -> str:
    """Record that the database is at `revision` and run nothing: for a schema that came there by other means."""
    target = parse_revision(revision)
    with (
        connect(url, name="thetaline migrate", autocommit=True) as conn,
        _locked(conn, LOCK_SECS),
    ):
        conn.execute(bookkeeping())
        conn.execute(SQL["forget_after"], {"revision": target})
        conn.execute(SQL["stamp"], _columns(target))
    return target


def script(conn: Connection | None, *, start: str | None = None, to: str | None = None) -> Iterator[str]:
    """What `migrate` would run, for psql, a transaction a piece; without `conn` for a database at `start`."""
    target = wanted() if to is None else parse_revision(to)
    if conn is not None:
        _check_way(conn, target)
    at = parse_revision(start or EMPTY) if conn is None else current(conn) or EMPTY
    yield _transaction("who has run what", bookkeeping())
    for migration in migration_files():
        if at < migration.revision <= target:
            yield _transaction(str(migration), f"{rendered(SQL['guard'], {'revision': at})};\n\n{body(migration)}")
            at = migration.revision
    yield _transaction("grants", grants())


def bookkeeping() -> str:
    """Make the table of the history where it is missing, and take over what Alembic's says."""
    return f"{SQL['make_table']};\n{rendered(SQL['take_over'], _columns(wanted()))};"


def body(migration: Migration) -> str:
    """The migration and its row in the history; its own text comes first, so that positions in it are right."""
    row = {"revision": migration.revision, "name": migration.name, "sha256": migration.checksum}
    return f"{migration.sql}\n{rendered(SQL['record'], row)};"


def grants() -> str:
    """What the roles may do, as far as roles and tables are there."""
    return GRANTS.read_text(encoding="utf-8")


def _opening(lock_secs: float) -> str:
    return f"{rendered(SQL['limit'], {'wait': f'{lock_secs * 1000:.0f}ms'})};\n{SQL['lock']};\n"


def _transaction(title: str, statements: str) -> str:
    return f"-- {title}\nbegin;\n{_opening(LOCK_SECS)}{statements}\ncommit;\n"


@contextmanager
def _locked(conn: Connection, lock_secs: float, what: str = "the history of migrations") -> Iterator[None]:
    """A transaction under the migrators' lock; the errors of its statements as ours."""
    try:
        with conn.transaction():
            conn.execute(_opening(lock_secs))
            yield
    except psycopg.errors.LockNotAvailable:
        raise MigrationError(
            f"{what} waited {lock_secs:g} s for a lock and was undone: another migration is under way, or a session "
            "uses what it changes (see pg_stat_activity); wait for it or end it, then run `thetaline db migrate` again"
        ) from None


def _run(conn: Connection, migration: Migration, lock_secs: float) -> bool:
    """Whether it was to be run: another process may have done it while we waited."""
    try:
        with _locked(conn, lock_secs, str(migration)):
            if any(row.revision == migration.revision for row in applied(conn)):
                return False
            conn.execute(body(migration))
    except psycopg.Error as error:
        raise MigrationError(_failure(conn, migration, error)) from error
    return True


def _failure(conn: Connection, migration: Migration, error: psycopg.Error) -> str:
    position = error.diag.statement_position
    line = f" line {migration.sql.count(chr(10), 0, int(position)) + 1}" if position else ""
    left = "the server went away" if conn.closed else f"the database stays at revision {current(conn) or 'none'}"
    return f"migration {migration}{line} failed and was undone: {mask_text(str(error).strip())}; {left}"


def _check_way(conn: Connection, target: str) -> None:
    check_not_newer(conn)
    check_unchanged(conn)
    at = current(conn) or EMPTY
    if at > target:
        raise InputError(
            f"the database {conn.info.dbname!r} is at revision {at}, and there is no way back to {target}; "
            "restore a backup of that time"
        )


def _check_server(conn: Connection, url: str) -> None:
    if conn.info.server_version < OLDEST_SERVER:
        found = conn.info.server_version // 10000
        raise MigrationError(f"{mask_text(url)} runs PostgreSQL {found}; thetaline needs 16 or later")


def _columns(target: str) -> dict[str, list[str]]:
    """The files up to a revision as arrays for one statement."""
    files = [file for file in migration_files() if file.revision <= target]
    return {
        "revisions": [file.revision for file in files],
        "names": [file.name for file in files],
        "sha256s": [file.checksum for file in files],
    }
