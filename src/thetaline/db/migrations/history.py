"""Which migrations a database has run, as its table `schema_migration` says."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.rows import class_row

from thetaline.db.connection import Connection
from thetaline.db.migrations.files import EMPTY, Migration, migration_files, wanted
from thetaline.db.statements import sql
from thetaline.errors import MigrationError

SQL = sql("db/migrations/history.sql")


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """One row of `schema_migration`; time and user are None for what Alembic ran."""

    revision: str
    name: str
    sha256: str
    origin: str
    applied_at: datetime | None
    applied_by: str | None


class MigrationState(StrEnum):
    """Of a migration in a database."""

    RUN = "run"
    STAMPED = "stamped"
    ALEMBIC = "alembic"
    PENDING = "pending"
    CHANGED = "changed"  # run, but not with the text that this version ships
    UNKNOWN = "unknown"  # run by a newer version


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One migration as `thetaline db history` lists it."""

    revision: str
    name: str
    state: MigrationState
    applied_at: datetime | None = None
    applied_by: str | None = None


def current(conn: Connection) -> str | None:
    """The revision that the database is at; None for a database without our schema."""
    has_table, has_alembic = _tables(conn)
    if not has_table and not has_alembic:
        return None
    found = conn.execute(SQL["current"] if has_table else "select version_num from alembic_version").fetchone()
    return found[0] if found else None


def check_migrated(conn: Connection) -> None:
    """Raise `MigrationError` with the command to run unless the database is at `wanted()`."""
    check_not_newer(conn)
    found = current(conn)
    if found != wanted():
        raise MigrationError(
            f"the database {conn.info.dbname!r} is at revision {found or 'none'}, this version needs {wanted()}; "
            "run `thetaline db migrate`"
        )


def check_not_newer(conn: Connection) -> None:
    """Raise `MigrationError` for a database that a newer version has migrated."""
    found = current(conn)
    if found is not None and found > wanted():
        raise MigrationError(
            f"the database {conn.info.dbname!r} is at revision {found}, newer than this version's {wanted()}; "
            "install the newer thetaline"
        )


def check_unchanged(conn: Connection) -> None:
    """Raise `MigrationError` when a migration was run with another text than this version ships."""
    changed = [f"{line.revision}_{line.name}" for line in history(conn) if line.state is MigrationState.CHANGED]
    if changed:
        raise MigrationError(
            f"the database {conn.info.dbname!r} has run another text of {', '.join(changed)} than this version ships; "
            "see `thetaline db check` for what differs, mend it, then `thetaline db stamp` the revision"
        )


def history(conn: Connection) -> list[HistoryLine]:
    """Every migration that this version ships or the database has run, in order."""
    files = {file.revision: file for file in migration_files()}
    rows = applied(conn)
    run = {row.revision: _line(row, files.get(row.revision)) for row in rows}
    pending = {file.revision: HistoryLine(file.revision, file.name, MigrationState.PENDING) for file in files.values()}
    return [line for _, line in sorted((pending | run).items())]


def applied(conn: Connection) -> list[AppliedMigration]:
    """The rows of the table, in order; those that it will have where only Alembic's table is there yet."""
    has_table, has_alembic = _tables(conn)
    if not has_table:
        at = current(conn) if has_alembic else None
        return [_taken_over(file) for file in migration_files() if file.revision <= (at or EMPTY)]
    with conn.cursor(row_factory=class_row(AppliedMigration)) as cursor:
        return cursor.execute(SQL["applied"]).fetchall()


def _tables(conn: Connection) -> tuple[bool, bool]:
    """Whether our table is there, and whether Alembic's is."""
    row = conn.execute(SQL["tables"]).fetchone()
    return (False, False) if row is None else (row[0], row[1])


def _taken_over(file: Migration) -> AppliedMigration:
    return AppliedMigration(file.revision, file.name, file.checksum, MigrationState.ALEMBIC, None, None)


def _line(row: AppliedMigration, file: Migration | None) -> HistoryLine:
    state = MigrationState(row.origin)
    if file is None:
        state = MigrationState.UNKNOWN
    elif file.checksum != row.sha256:
        state = MigrationState.CHANGED
    return HistoryLine(row.revision, row.name, state, row.applied_at, row.applied_by)
