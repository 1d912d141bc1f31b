import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from learners import TODAY, Connection, connected
from nights import LATER, ORDER, night, states, write_school
from psycopg.pq import TransactionStatus

from thetaline.errors import HeldError, InputError, JobError
from thetaline.jobs.nightly import night as night_job
from thetaline.jobs.runner import JobContext
from thetaline.jobs.stage import NightProgress, Stage, is_up_to_date, select_stages


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connected(database) as conn:
        yield conn


@pytest.fixture
def school(conn: Connection) -> None:
    write_school(conn)


def test_a_night_runs_every_stage_in_order_and_a_second_start_has_nothing_to_do(
    conn: Connection, database: str, school: None
) -> None:
    first = night(conn, database)
    assert [stage["stage"] for stage in first["stages"]] == ORDER
    assert states(first) == ["done"] * 5
    counts = [conn.execute(f"select count(*) from {table}").fetchone()[0] for table in ("ability", "weekly_kpi")]
    assert counts[0] > 80
    assert counts[1] == 80
    assert states(night(conn, database, LATER)) == ["already_done"] * 5
    again = [conn.execute(f"select count(*) from {table}").fetchone()[0] for table in ("ability", "weekly_kpi")]
    assert again == counts


def test_the_chain_feeds_theta_into_features_and_theta_based_improvement(
    conn: Connection, database: str, school: None
) -> None:
    night(conn, database)
    with_theta = conn.execute("select count(*) from features_topic_daily where theta_estimate is not null").fetchone()
    assert with_theta[0] > 0
    methods = conn.execute("select distinct kpis ->> 'method' from weekly_kpi where kpis ? 'I_t'").fetchall()
    assert methods == [("theta_delta",)]


def test_a_held_calibration_stops_what_needs_it_and_publishing_lets_the_night_go_on(
    conn: Connection, database: str, school: None
) -> None:
    with pytest.raises(HeldError, match="is held"):
        night(conn, database, mirt_gate_min_users=1000)
    conn.rollback()
    assert conn.execute("select job, state from run order by started_at, job desc").fetchall() == [
        ("nightly", "failed"),
        ("mirt_calibrate", "held"),
    ]
    conn.execute("update run set state = 'published' where job = 'mirt_calibrate'")
    conn.commit()
    assert states(night(conn, database, LATER)) == ["already_done", "done", "done", "done", "done"]


def test_a_night_goes_on_at_the_stage_that_failed(conn: Connection, database: str, school: None) -> None:
    conn.execute("alter table features_topic_daily rename to elsewhere")
    conn.commit()
    with pytest.raises(Exception, match="features_topic_daily"):
        night(conn, database)
    conn.rollback()
    snapshots = conn.execute("select count(*) from ability").fetchone()
    conn.execute("alter table elsewhere rename to features_topic_daily")
    conn.commit()
    assert states(night(conn, database, LATER)) == ["already_done"] * 3 + ["done"] * 2
    assert conn.execute("select count(*) from ability").fetchone() == snapshots


def test_from_and_only_run_again_what_they_name(conn: Connection, database: str, school: None) -> None:
    night(conn, database)
    later = night(conn, database, LATER, start="backfill_features")
    assert [stage["stage"] for stage in later["stages"]] == ORDER[3:]
    assert states(later) == ["done", "done"]
    only = night(conn, database, LATER + timedelta(hours=1), only="irt_drift")
    assert [stage["stage"] for stage in only["stages"]] == ["irt_drift"]


def test_a_calibration_that_is_named_is_made_again(conn: Connection, database: str, school: None) -> None:
    night(conn, database)
    with pytest.raises(HeldError, match="no anchors"):  # it was judged anew: a second scale without anchors
        night(conn, database, LATER, only="mirt_calibrate")
    conn.rollback()
    assert conn.execute("select count(*) from run where job = 'mirt_calibrate'").fetchone() == (2,)


def test_each_night_of_a_range_starts_after_the_one_before(conn: Connection, database: str, school: None) -> None:
    night(conn, database)
    since = str(TODAY - timedelta(days=1))
    night(conn, database, LATER, since=since, start="snapshot_theta", anyway=True)
    nights = conn.execute(
        "select as_of, started_at from run where job = 'nightly' and started_at >= %s order by as_of", [LATER]
    )
    (first, at), (second, later) = nights.fetchall()
    assert first < second
    assert at < later


def test_a_stage_does_not_start_before_what_it_needs_has_succeeded_for_the_date(
    conn: Connection, database: str, school: None
) -> None:
    with pytest.raises(JobError, match="snapshot_theta needs mirt_calibrate, which has not succeeded for this date"):
        night(conn, database, start="snapshot_theta")
    conn.rollback()
    assert conn.execute("select count(*) from ability").fetchone() == (0,)


def test_a_range_of_dates_is_made_up_in_order(conn: Connection, database: str, school: None) -> None:
    night(conn, database)
    since = str(TODAY - timedelta(days=2))
    found = night(conn, database, LATER, since=since, start="snapshot_theta", anyway=True)
    assert [states(one) for one in found["nights"]] == [["done"] * 3] * 3
    assert [one["date"] for one in found["nights"]] == [str(TODAY - timedelta(days=back)) for back in (2, 1, 0)]
    days = conn.execute("select distinct as_of from ability order by 1").fetchall()
    assert days == [(TODAY - timedelta(days=back),) for back in (2, 1, 0)]


def test_a_dry_night_writes_nothing_at_all(conn: Connection, database: str, school: None) -> None:
    night(conn, database)
    tables = ("run", "ability", "topic_ability", "features_topic_daily", "weekly_kpi", "drift_alert", "item_param")
    before = [conn.execute(f"select count(*) from {table}").fetchone() for table in tables]
    night(conn, database, LATER, dry_run=True, start="snapshot_theta")
    assert [conn.execute(f"select count(*) from {table}").fetchone() for table in tables] == before


def test_the_table_for_people_names_every_stage_with_its_outcome_and_seconds(
    conn: Connection, database: str, school: None, capsys: pytest.CaptureFixture[str]
) -> None:
    night(conn, database)
    told = capsys.readouterr().err
    assert "night of 2025-11-02" in told
    assert re.findall(r"^  (\w+) +done +\d+\.\d s", told, re.MULTILINE) == ORDER


def stage(name: str, *needs: str) -> Stage:
    def work(_: JobContext) -> dict[str, object]:
        return {}

    return Stage(name, work, needs)


def test_stages_begin_without_an_open_transaction(conn: Connection, database: str) -> None:
    seen = []

    def work(context: JobContext) -> dict[str, object]:
        seen.append(context.conn.info.transaction_status)
        context.conn.execute("select 1")
        return {}

    night(conn, database, stages=[Stage("one", work), Stage("two", work)])
    assert seen == [TransactionStatus.IDLE] * 2


def at(hour: int) -> datetime:
    return datetime(2025, 11, 2, hour, tzinfo=UTC)


def test_a_stage_is_stale_once_what_it_needs_ran_again() -> None:
    two = stage("two", "one")
    assert is_up_to_date(two, {"one": at(1), "two": at(2)})
    assert not is_up_to_date(two, {"one": at(3), "two": at(2)})
    assert not is_up_to_date(two, {"one": at(1)})
    assert NightProgress({"two": at(1)}).missing_needs(two) == ["one"]


def test_unknown_stages_and_contradictory_wishes_are_refused() -> None:
    with pytest.raises(InputError, match="'lunch' is no stage; the stages are one, two"):
        select_stages([stage("one"), stage("two")], start="lunch", only=None)
    with pytest.raises(InputError, match="exclude each other"):
        select_stages([stage("one")], start="one", only="one")


def test_every_stage_comes_after_what_it_needs() -> None:
    seen: set[str] = set()
    for one in night_job.STAGES:
        assert set(one.needs) <= seen
        seen.add(one.name)


def test_a_range_that_ends_before_it_starts_is_refused(conn: Connection, database: str) -> None:
    with pytest.raises(InputError, match="lies after the last day of the range"):
        night(conn, database, since=str(TODAY + timedelta(days=1)))
