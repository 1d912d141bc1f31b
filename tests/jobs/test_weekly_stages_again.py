"""What the weekly CronJobs of deploy/k8s run on Monday, before, during and after a night that is three hours late."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from learners import NOW, TODAY, Connection, connected
from nights import night, statuses, write_school
from psycopg import sql

from thetaline.db import ledger
from thetaline.errors import JobError, LockedError
from thetaline.jobs.nightly.night import STAGES

MANIFEST = Path(__file__).resolve().parents[2] / "deploy/k8s/base/weekly.yaml"
COMMANDS = [
    one["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    for one in yaml.safe_load_all(MANIFEST.read_text())
]
WEEKLY = [command[-1] for command in COMMANDS]
LATE = NOW + timedelta(hours=3)
LEDGER = {"run"}


def contents(conn: Connection) -> dict[str, str]:
    """A checksum of each table but the ledger."""
    conn.rollback()
    names = conn.execute("select tablename from pg_tables where schemaname = current_schema()").fetchall()
    query = sql.SQL("select md5(string_agg(t::text, '|' order by t::text)) from {} t")
    return {
        name: str(conn.execute(query.format(sql.Identifier(name))).fetchone())
        for (name,) in names
        if name not in LEDGER
    }


def test_each_cron_job_runs_one_stage_of_the_night_by_itself() -> None:
    assert [command[:3] for command in COMMANDS] == [["thetaline", "nightly", "--only"]] * 6
    assert [stage.name for stage in STAGES if stage.weekly and stage.name in WEEKLY] == WEEKLY


@pytest.mark.parametrize("stage", WEEKLY)
def test_before_the_night_it_ends_and_names_what_it_needs(database: str, stage: str) -> None:
    with connected(database) as conn, pytest.raises(JobError, match=f"{stage} needs .*, which has not succeeded"):
        night(conn, database, only=stage, stages=STAGES)


def test_during_the_night_it_ends_and_names_the_run_that_is_under_way(database: str) -> None:
    with (
        connected(database) as conn,
        ledger.open_run(database, "nightly", as_of=TODAY, now=LATE) as other,
        pytest.raises(LockedError, match=f"nightly is under way already: run {other.run_id}"),
    ):
        night(conn, database, LATE, only=WEEKLY[0], stages=STAGES)


def test_after_the_night_it_succeeds_and_changes_nothing(database: str) -> None:
    with connected(database) as conn:
        write_school(conn)
        conn.commit()
        empty = contents(conn)
        night(conn, database, LATE, stages=STAGES)
        before = contents(conn)
        written = {name for name in empty if empty[name] != before[name]}
        assert {"growth_line", "forecast_value", "stored_report"} <= written
        for number, stage in enumerate(WEEKLY, start=1):
            again = night(conn, database, LATE + timedelta(hours=number), only=stage, stages=STAGES)
            assert [one["stage"] for one in again["stages"]] == [stage]
            assert set(statuses(again["stages"])) <= {"done", "already_done"}
            assert contents(conn) == before
