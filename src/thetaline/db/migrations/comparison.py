"""The live schema against what the migrations make: they run in a schema of their own, which is rolled back."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg.rows import class_row

from thetaline.db.connection import Connection
from thetaline.db.migrations.files import migration_files
from thetaline.db.migrations.history import check_not_newer, current
from thetaline.db.migrations.run import body, bookkeeping, grants
from thetaline.db.statements import sql
from thetaline.errors import MigrationError

SQL = sql("db/migrations/comparison.sql")
LIVE, EXPECTED = "public", "thetaline_expected"
SHORT = 160  # characters of two definitions that a person compares at a glance


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """A table, column, constraint, index, view, function, trigger or grant."""

    kind: str
    name: str
    part_of: str  # the table, view or function that it belongs to
    definition: str

    def __str__(self) -> str:
        """As a person says it."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Difference:
    """`found` is None for what is missing, `expected` for what no migration makes."""

    what: str
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        """One line, or a few where a long definition differs."""
        if self.found is None:
            return f"{self.what} is missing"
        if self.expected is None:
            return f"{self.what} is in no migration"
        if len(self.expected) + len(self.found) <= SHORT:
            return f"{self.what} is {self.found}; it should be {self.expected}"
        lines = difflib.unified_diff(self.expected.splitlines(), self.found.splitlines(), n=0, lineterm="")
        changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        return "\n".join([f"{self.what} differs (- should be, + is):", *(f"    {line}" for line in changed)])


def differences(conn: Connection) -> list[Difference]:
    """Where the tables, views and functions of the migrations differ from those in the database at the same revision.

    What belongs to others in the same schema is not looked at. Needs the right to make a schema. Raises
    `MigrationError` for a database without our schema or with one that is newer than this version.
    """
    check_not_newer(conn)
    revision = current(conn)
    if revision is None:
        raise MigrationError(f"the database {conn.info.dbname!r} has no schema yet; run `thetaline db migrate`")
    with conn.transaction(force_rollback=True):
        found = _inventory(conn, LIVE)
        _make_expected(conn, revision)
        expected = _inventory(conn, EXPECTED)
    return list(_compared(expected, found))


def _make_expected(conn: Connection, revision: str) -> None:
    conn.execute(SQL["make_scratch"])
    conn.execute(SQL["look_at"], {"schema": EXPECTED})
    conn.execute(bookkeeping())
    for migration in migration_files():
        if migration.revision <= revision:
            conn.execute(body(migration))
    conn.execute(grants())


def _inventory(conn: Connection, schema: str) -> list[SchemaObject]:
    conn.execute(SQL["look_at"], {"schema": schema})
    with conn.cursor(row_factory=class_row(SchemaObject)) as cursor:
        return cursor.execute(SQL["inventory"], {"schema": schema}).fetchall()


def _compared(expected: list[SchemaObject], found: list[SchemaObject]) -> Iterator[Difference]:
    there = {str(one): one for one in found}
    ours = {one.part_of for one in expected}
    absent = {one.part_of for one in expected} - {one.part_of for one in found}
    for one in expected:
        live = there.pop(str(one), None)
        if live is None and one.part_of in absent and one.name != one.part_of:
            continue  # the whole table is missing, and is named once
        if live is None or live.definition != one.definition:
            yield Difference(str(one), one.definition, None if live is None else live.definition)
    for one in there.values():
        if one.part_of in ours:
            yield Difference(str(one), None, one.definition)
