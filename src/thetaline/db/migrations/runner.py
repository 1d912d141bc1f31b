"""Bring a database to the schema of this version, or say that it is not there yet."""

from pathlib import Path
from typing import Any

import psycopg
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from thetaline.db.connection import connect
from thetaline.errors import MigrationError
from thetaline.masking import mask_text

FOLDER = Path(__file__).parent
OLDEST_SERVER = 160000  # pg_input_is_valid came with PostgreSQL 16


def migrate(url: str) -> str:
    """Run the revisions that the database lacks, one process at a time; return the revision it is at now.

    Raises `MigrationError` when a revision fails (nothing of it is kept) or the server is older than PostgreSQL 16.
    """
    with connect(url) as conn:
        _check_server(conn, url)
        conn.execute("select pg_advisory_lock(hashtext('thetaline'), hashtext('migrate'))")
        conn.commit()
        _upgrade(url)
    return head()


def head() -> str:
    """The revision that this version of the package needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise MigrationError(f"no revisions in {FOLDER}; the installation is incomplete, install thetaline again")
    return revision


def current(conn: psycopg.Connection[Any]) -> str | None:
    """The revision that the database is at; None for a database without our schema."""
    if not _scalar(conn, "select to_regclass('alembic_version') is not null"):
        return None
    found = _scalar(conn, "select version_num from alembic_version")
    return None if found is None else str(found)


def check_migrated(conn: psycopg.Connection[Any]) -> None:
    """Raise `MigrationError` with the command to run unless the database is at `head()`."""
    found, wanted = current(conn), head()
    if found != wanted:
        raise MigrationError(
            f"the database {conn.info.dbname!r} is at revision {found or 'none'}, this version needs {wanted}; "
            "run `thetaline db migrate`"
        )


def execute_file(revision: str) -> None:
    """Run the SQL file of the revision script at path `revision` on Alembic's connection."""
    statements = (FOLDER / "sql" / Path(revision).with_suffix(".sql").name).read_text(encoding="utf-8")
    raw = op.get_bind().connection.driver_connection
    if raw is None:
        raise MigrationError("the connection was closed before the migration ran; run `thetaline db migrate` again")
    raw.execute(statements)


def _upgrade(url: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            command.upgrade(_config(connection), "head")
    except psycopg.Error as error:
        raise MigrationError(f"migration of {mask_text(url)} failed and was undone: {error}") from error


def _config(connection: object | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _check_server(conn: psycopg.Connection[Any], url: str) -> None:
    if conn.info.server_version < OLDEST_SERVER:
        raise MigrationError(
            f"{mask_text(url)} runs PostgreSQL {conn.info.server_version // 10000}; thetaline needs 16 or later"
        )


def _scalar(conn: psycopg.Connection[Any], query: str) -> Any:
    row = conn.execute(query).fetchone()
    return row[0] if row else None
