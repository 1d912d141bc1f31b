"""Migrations: run in order, one at a time, each whole or not at all, recorded, as a script, and after Alembic."""

import subprocess
import sys
import threading

import psycopg
import pytest

from thetaline import db
from thetaline.db import migrations
from thetaline.db.migrations import files
from thetaline.errors import InputError, MigrationError

FIRST, NEWEST = files.migration_files()[0].revision, migrations.wanted()


def states(url: str) -> dict[str, str]:
    with db.connect(url) as conn:
        return {line.revision: line.state for line in migrations.history(conn)}


def differences(url: str) -> list[migrations.Difference]:
    with db.connect(url) as conn:
        return migrations.differences(conn)


def execute(url: str, *statements: str) -> None:
    with db.connect(url, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


def as_alembic_left_it(url: str, revision: str) -> None:
    """The schema at a revision, with Alembic's table in place of ours."""
    migrations.migrate(url, to=revision)
    execute(
        url,
        "drop table schema_migration",
        "create table alembic_version (version_num varchar(32) primary key)",
        f"insert into alembic_version values ('{revision}')",
    )


def test_the_files_are_numbered_without_a_gap() -> None:
    numbers = [int(file.revision) for file in files.migration_files()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_migrations_run_in_order_and_once_and_are_recorded_with_time_user_and_checksum(empty_database: str) -> None:
    ran: list[str] = []
    assert migrations.migrate(empty_database, progress=lambda file: ran.append(file.revision)) == NEWEST
    assert ran == [file.revision for file in files.migration_files()]
    assert migrations.migrate(empty_database, progress=lambda file: ran.append(file.revision)) == NEWEST
    assert len(ran) == len(files.migration_files())
    with db.connect(empty_database) as conn:
        rows = conn.execute(
            "select sha256, applied_by = current_user, now() - applied_at < '1 h' from schema_migration"
        )
        assert sorted(rows) == sorted((file.checksum, True, True) for file in files.migration_files())


def test_a_migration_stops_at_the_revision_that_is_asked_for_and_does_not_go_back(empty_database: str) -> None:
    assert migrations.migrate(empty_database, to="3") == "0003"
    assert states(empty_database)["0003"] == "run"
    assert states(empty_database)["0004"] == "pending"
    with pytest.raises(InputError, match="at revision 0003, and there is no way back to 0002"):
        migrations.migrate(empty_database, to="0002")
    with pytest.raises(InputError, match=f"no revision '99'; this version has {FIRST} to {NEWEST}"):
        migrations.migrate(empty_database, to="99")


def test_a_migration_that_fails_is_undone_and_those_before_it_stay(empty_database: str) -> None:
    execute(empty_database, "create table answer ()")  # in the way of the second
    with pytest.raises(MigrationError, match=r"0002_answers failed and was undone.*answer.*stays at revision 0001"):
        db.migrate(empty_database)
    with db.connect(empty_database) as conn:
        assert migrations.current(conn) == "0001"
        assert conn.execute("select to_regprocedure('json_code(jsonb)')").fetchone() == (None,)
    execute(empty_database, "drop table answer")
    assert db.migrate(empty_database) == NEWEST


def test_a_statement_that_fails_is_told_with_its_line(empty_database: str) -> None:
    migrations.migrate(empty_database, to="0004")
    execute(empty_database, "drop function theta_on", "alter table topic_ability drop column theta cascade")
    with pytest.raises(MigrationError, match=r"0005_theta_of_a_day line \d+ failed.*topic_ability.theta") as raised:
        migrations.migrate(empty_database)
    line = int(str(raised.value).split("line ")[1].split()[0])
    assert "topic_ability.theta" in files.migration_files()[4].sql.splitlines()[line - 1]


def test_processes_that_migrate_at_once_all_succeed(empty_database: str) -> None:
    command = [sys.executable, "-c", "import sys; from thetaline import db; db.migrate(sys.argv[1])", empty_database]
    children = [subprocess.Popen(command) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    assert set(states(empty_database).values()) == {"run"}


def test_a_migrator_waits_for_another_and_says_so_when_it_takes_too_long(empty_database: str) -> None:
    with db.connect(empty_database) as other:
        other.execute("select pg_advisory_xact_lock(hashtext('thetaline'), hashtext('migrate'))")
        with pytest.raises(MigrationError, match=r"waited 0.05 s for a lock.*another migration is under way"):
            migrations.migrate(empty_database, lock_secs=0.05)
        waiting = threading.Thread(target=migrations.migrate, args=(empty_database,))
        waiting.start()
        other.rollback()
    waiting.join()
    assert set(states(empty_database).values()) == {"run"}


def test_a_migration_gives_up_on_a_table_that_somebody_holds(empty_database: str) -> None:
    migrations.migrate(empty_database, to="0005")
    with db.connect(empty_database) as other:
        other.execute("select count(*) from drift_alert")
        with pytest.raises(MigrationError, match=r"0006_drift_decisions waited 0.05 s.*a session uses what it changes"):
            migrations.migrate(empty_database, lock_secs=0.05)
    assert states(empty_database)["0006"] == "pending"


def test_a_schema_newer_than_this_version_is_left_alone(empty_database: str) -> None:
    db.migrate(empty_database)
    execute(empty_database, "insert into schema_migration (revision, name, sha256) values ('9999', 'later', '')")
    with db.connect(empty_database) as conn, pytest.raises(MigrationError, match="9999, newer than"):
        db.check_migrated(conn)
    with pytest.raises(MigrationError, match="install the newer thetaline"):
        db.migrate(empty_database)
    assert states(empty_database)["9999"] == "unknown"


def test_a_migration_whose_text_has_changed_since_it_was_run_is_refused_until_it_is_stamped(
    empty_database: str,
) -> None:
    migrations.migrate(empty_database, to="0003")
    execute(empty_database, "update schema_migration set sha256 = 'of another text' where revision = '0002'")
    with pytest.raises(MigrationError, match="another text of 0002_answers than this version ships"):
        migrations.migrate(empty_database)
    assert states(empty_database)["0002"] == "changed"
    assert migrations.stamp(empty_database, "3") == "0003"
    assert [states(empty_database)[revision] for revision in ("0001", "0002", "0003")] == ["run", "stamped", "run"]
    assert migrations.migrate(empty_database) == NEWEST


def test_a_stamp_records_a_revision_and_runs_nothing(empty_database: str) -> None:
    migrations.stamp(empty_database, "0002")
    assert [states(empty_database)[revision] for revision in ("0001", "0002", "0003")] == [
        "stamped",
        "stamped",
        "pending",
    ]
    with db.connect(empty_database) as conn:
        assert conn.execute("select to_regclass('answer')").fetchone() == (None,)
    migrations.stamp(empty_database, "0")
    assert set(states(empty_database).values()) == {"pending"}


@pytest.mark.parametrize("revision", ["0004", "0008"])
def test_a_database_of_alembics_is_taken_over(empty_database: str, revision: str) -> None:
    as_alembic_left_it(empty_database, revision)
    with db.connect(empty_database) as conn:
        assert migrations.current(conn) == revision
    assert states(empty_database)[revision] == "alembic"
    assert migrations.migrate(empty_database) == NEWEST
    assert [state for number, state in states(empty_database).items() if number <= revision] == ["alembic"] * int(
        revision
    )
    with db.connect(empty_database) as conn:
        db.check_migrated(conn)
        assert conn.execute("select to_regclass('alembic_version')").fetchone() == (None,)
    assert differences(empty_database) == []


def test_a_database_of_alembics_that_is_newer_than_this_version_is_left_alone(empty_database: str) -> None:
    as_alembic_left_it(empty_database, "0008")
    execute(empty_database, "update alembic_version set version_num = '9999'")
    with pytest.raises(MigrationError, match="9999, newer than"):
        migrations.migrate(empty_database)


@pytest.mark.parametrize("start", [None, "0", "0004"])
def test_the_script_does_what_a_migration_does(empty_database: str, start: str | None) -> None:
    if start == "0004":
        migrations.migrate(empty_database, to=start)
    with db.connect(empty_database) as conn:
        pieces = list(migrations.script(conn) if start is None else migrations.script(None, start=start))
    execute(empty_database, *pieces)
    assert set(states(empty_database).values()) == {"run"}
    assert differences(empty_database) == []


def test_the_script_takes_over_from_alembic(empty_database: str) -> None:
    as_alembic_left_it(empty_database, "0008")
    with db.connect(empty_database) as conn:
        pieces = list(migrations.script(conn))
    execute(empty_database, *pieces)
    assert states(empty_database)["0008"] == "alembic"
    assert differences(empty_database) == []


def test_a_script_for_another_revision_is_refused_by_the_database(empty_database: str) -> None:
    migrations.migrate(empty_database, to="0002")
    with pytest.raises(psycopg.errors.RaiseException, match="not at revision 0004"):
        execute(empty_database, *migrations.script(None, start="0004"))
    assert states(empty_database)["0005"] == "pending"
