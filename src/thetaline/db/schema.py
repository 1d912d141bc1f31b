"""Which revision the schema is at, which one this version needs, and the way from one to the other."""

from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from thetaline.db.connection import connect
from thetaline.errors import MigrationError
from thetaline.masking import mask_text

REVISIONS = Path(__file__).parent / "migrations" / "versions"
OLDEST_SERVER = 160000  # pg_input_is_valid came with PostgreSQL 16


@cache
def wanted() -> str:
    """The revision that this version of the package needs: the number of the last script."""
    return max(path.name for path in REVISIONS.glob("[0-9]*.py")).partition("_")[0]


def current(conn: psycopg.Connection[Any]) -> str | None:
    """The revision that the database is at; None for a database without our schema."""
    row = conn.execute("select to_regclass('alembic_version') is not null").fetchone()
    if row is None or not row[0]:
        return None
    found = conn.execute("select version_num from alembic_version").fetchone()
    return None if found is None else str(found[0])


def check_migrated(conn: psycopg.Connection[Any]) -> None:
    """Raise `MigrationError` with the command to run unless the database is at `wanted()`."""
    found = current(conn)
    if found is not None and found > wanted():
        raise MigrationError(
            f"the database {conn.info.dbname!r} is at revision {found}, newer than this version's {wanted()}; "
            "install the newer thetaline"
        )
    if found != wanted():
        raise MigrationError(
            f"the database {conn.info.dbname!r} is at revision {found or 'none'}, this version needs {wanted()}; "
            "run `thetaline db migrate`"
        )


def migrate(url: str) -> str:
    """Run the revisions that the database lacks, one process at a time; return the revision it is at now.

    Raises `MigrationError` when a revision fails (nothing of it is kept), the schema is newer than this version or the
    server older than PostgreSQL 16.
    """
    with connect(url, name="thetaline migrate") as conn:
        _check_server(conn, url)
        conn.execute("select pg_advisory_lock(hashtext('thetaline'), hashtext('migrate'))")
        found = current(conn)
        conn.commit()
        if found is not None and found > wanted():
            check_migrated(conn)
        if found != wanted():
            _upgrade(url)
    return wanted()


def _upgrade(url: str) -> None:
    from thetaline.db.migrations.runner import upgrade  # noqa: PLC0415 - Alembic takes half a second to load

    try:
        upgrade(lambda: connect(url, name="thetaline migrate"))
    except psycopg.Error as error:
        raise MigrationError(f"migration of {mask_text(url)} failed and was undone: {error}") from error


def _check_server(conn: psycopg.Connection[Any], url: str) -> None:
    if conn.info.server_version < OLDEST_SERVER:
        found = conn.info.server_version // 10000
        raise MigrationError(f"{mask_text(url)} runs PostgreSQL {found}; thetaline needs 16 or later")
