"""The roles of the decision record: each can do its work and nothing beside it."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from thetaline import db
from thetaline.db import bulk, migrations
from thetaline.db.migrations.run import grants
from waiting import wait_until

RECORD = Path(__file__).parents[2] / "docs" / "decisions" / "0403-roles.md"
ROLES = ["thetaline_exam_app", "thetaline_jobs", "thetaline_reader"]
RESULT = json.dumps({"questions": [{"question_id": 1, "is_correct": True, "topic": "algebra"}]})


@pytest.fixture
def granted(database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser's connection to a database with the record's roles; everything is rolled back, the roles too."""
    with db.connect(database.replace("//thetaline@", "//postgres@")) as conn:
        if conn.execute("select usesuper from pg_user where usename = current_user").fetchone() != (True,):
            pytest.skip("making roles takes a superuser, as the embedded server has one")
        (statements,) = re.findall(r"```sql\n(.*?)```", RECORD.read_text(encoding="utf-8"), re.DOTALL)
        conn.execute(statements)
        conn.execute(grants())
        yield conn
        conn.rollback()
        pid = conn.info.backend_pid
    # The owner, who drops the database, cannot end a superuser's session that is still on its way out.
    with db.connect(database, autocommit=True) as owner:
        wait_until(lambda: not owner.execute("select from pg_stat_activity where pid = %s", [pid]).fetchone())


def test_the_exam_app_writes_results_and_needs_no_right_on_answers(
    granted: psycopg.Connection[tuple[object, ...]],
) -> None:
    granted.execute("set local role thetaline_exam_app")
    granted.execute("insert into exam_results (session_id, user_id, result_json) values ('s1', 'u1', %s)", [RESULT])
    granted.execute("update exam_results set result_json = %s where session_id = 's1'", [RESULT])
    refuse(granted, "delete from answer")
    refuse(granted, "select * from mirt_ability")
    granted.execute("set local role thetaline_reader")
    assert granted.execute("select user_id, item_id from attempt").fetchall() == [("u1", "1")]


def test_the_jobs_write_estimates_but_do_not_change_the_schema(granted: psycopg.Connection[tuple[object, ...]]) -> None:
    granted.execute("insert into exam_results (user_id, result_json) values ('u1', %s)", [RESULT])
    granted.execute("set local role thetaline_jobs")
    columns = ["user_id", "week_start", "kpis"]
    bulk.upsert_rows(granted, "weekly_kpi", columns, [["u1"], "2025-11-03", "{}"], key=columns[:2])
    columns = ["run_id", "job", "as_of", "state", "started_at", "host", "pid"]
    bulk.copy_rows(granted, "run", columns, [["r1"], "snapshot_theta", "2025-11-02", "running", "2025-11-02", "h", 1])
    refuse(granted, "drop table weekly_kpi")
    refuse(granted, "create table mine ()")


def test_the_reader_reads_only(granted: psycopg.Connection[tuple[object, ...]]) -> None:
    granted.execute("set local role thetaline_reader")
    for view in ("attempt", "mirt_ability", "mirt_item_params", "mirt_fit_meta", "weekly_kpi", "features_topic_daily"):
        granted.execute(f"select * from {view}")
    refuse(granted, "insert into weekly_kpi (user_id, week_start) values ('u1', '2025-11-03')")


def test_a_grant_that_is_missing_or_too_many_is_named(granted: psycopg.Connection[tuple[object, ...]]) -> None:
    assert migrations.differences(granted) == []
    granted.execute("revoke select on weekly_kpi from thetaline_jobs")
    granted.execute("grant insert on ability to thetaline_reader")
    assert list(map(str, migrations.differences(granted))) == [
        "grant select on weekly_kpi to thetaline_jobs is missing",
        "grant insert on ability to thetaline_reader is in no migration",
    ]


def test_a_migration_grants_to_the_roles_that_exist_and_does_without_those_that_do_not() -> None:
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:  # roles are the whole server's: this one is ours alone
        with db.embedded.lease(Path(folder) / "db", grace_secs=0.3) as held:
            with db.connect(held.url.replace("//thetaline@", "//postgres@"), autocommit=True) as admin:
                admin.execute("create role thetaline_reader nologin")
            db.migrate(held.url)
            query = "select to_regrole('thetaline_jobs'), has_table_privilege('thetaline_reader', 'attempt', 'select')"
            with db.connect(held.url) as conn:
                assert conn.execute(query).fetchone() == (None, True)
        db.embedded.stop(Path(folder) / "db")


def refuse(conn: psycopg.Connection[tuple[object, ...]], statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
        conn.execute(statement)
