"""kill -9 and SIGTERM of a night, and two at once: the next start goes on, and the tables are those of one night."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from learners import NOW, TODAY, connected, context
from nights import LATER, ORDER, night, states, write_school
from processes import kill, start, wait, writes_stopped
from school import rows

from thetaline.db import ledger
from thetaline.errors import LockedError
from thetaline.jobs.abilities import snapshot as snapshot_job
from thetaline.jobs.nightly import night as night_job
from waiting import waits_for_a_lock

# A table that the stage writes and none before it.
OWN_TABLE = {
    "irt_drift": "drift_alert",
    "snapshot_theta": "topic_ability",
    "backfill_features": "features_topic_daily",
    "compute_daily_kpis": "weekly_kpi",
}


def start_night(url: str, log: Path) -> BaseProcess:
    return start(night_job.main, ["--date", str(TODAY)], url, log)


@contextmanager
def stopped_in(stage: str, url: str, log: Path) -> Iterator[BaseProcess]:
    """A night that cannot get past the writes of a stage; goes on when the block ends."""
    with writes_stopped(url, OWN_TABLE[stage]):
        yield start_night(url, log)


def has_started(stage: str, log: Path) -> Callable[[], bool]:
    return lambda: f'"stage": "{stage}"' in log.read_text()


def results(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that a night leaves, without the ids and instants of its runs."""
    asked = {
        "published": f"select job, as_of from run where state in ('done', 'published') and job in {tuple(ORDER)}",
        "item_param": "select item_id, model, params from item_param join item using (item_no)",
        "ability": "select job, user_id, ability.as_of, theta, se, n_answers"
        " from ability join run using (run_id) join learner using (learner_no)",
        "topic_ability": "select user_id, topic_id, as_of, theta, se, n_answers"
        " from topic_ability join learner using (learner_no) join topic using (topic_no)",
        "drift_alert": "select item_no, severity from drift_alert",
        "features_topic_daily": "select user_id, topic_id, date, attempts, correct, avg_time_ms, rt_median,"
        " theta_estimate, theta_sd, improvement from features_topic_daily",
        # without the weekly stages' keys and without P, which yields to them
        "weekly_kpi": "select user_id, week_start, (select jsonb_object_agg(key, value)"
        " from jsonb_each(kpis) join kpi_key using (key)"
        " where writer = 'compute_daily_kpis' and key not in ('P', 'P_source')) from weekly_kpi",
    }
    return {table: sorted(rows(url, query), key=repr) for table, query in asked.items()}


@pytest.fixture
def taught(database: str) -> str:
    with connected(database) as conn:
        write_school(conn)
    return database


@pytest.fixture(scope="module")
def undisturbed(module_database: str) -> dict[str, list[tuple[Any, ...]]]:
    """What one night by itself leaves."""
    with connected(module_database) as conn:
        write_school(conn)
        night(conn, module_database)
    found = results(module_database)
    assert len(found["ability"]) == 160
    assert found["published"] == sorted((job, TODAY) for job in ORDER)
    return found


def goes_on(url: str) -> list[str]:
    with connected(url) as conn:
        return states(night(conn, url, LATER))


def orphans(url: str) -> list[tuple[Any, ...]]:
    return rows(url, "select job from run where starts_with(error, 'orphaned: process ') order by job")


@pytest.mark.parametrize("stage", list(OWN_TABLE))
def test_a_night_that_is_killed_between_two_stages_goes_on_at_the_second(
    stage: str, taught: str, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    log = tmp_path / "night.log"
    with stopped_in(stage, taught, log) as process:
        wait(process, log, has_started(stage, log))
        kill(process)
    done = ORDER.index(stage)
    assert goes_on(taught) == ["already_done"] * done + ["done"] * (5 - done)
    assert ("nightly",) in orphans(taught)
    assert rows(taught, "select count(*) from run where state = 'running'") == [(0,)]
    assert results(taught) == undisturbed


def test_a_night_that_is_killed_inside_the_snapshot_leaves_none_of_it_and_makes_it_anew(
    taught: str, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    log = tmp_path / "night.log"
    with stopped_in("snapshot_theta", taught, log) as process:
        wait(process, log, waits_for_a_lock(taught))  # general θ is written, topic θ is not
        kill(process)
    assert rows(taught, "select count(*) from ability join run using (run_id) where job = 'snapshot_theta'") == [(0,)]
    assert rows(taught, "select job from run where state = 'running' order by 1") == [("nightly",), ("snapshot_theta",)]
    assert goes_on(taught) == ["already_done"] * 2 + ["done"] * 3
    assert orphans(taught) == [("nightly",), ("snapshot_theta",)]
    assert results(taught) == undisturbed


def test_a_night_that_is_told_to_stop_says_how_far_it_came_and_leaves_no_run_open(taught: str, tmp_path: Path) -> None:
    log = tmp_path / "night.log"
    with stopped_in("snapshot_theta", taught, log) as process:
        wait(process, log, waits_for_a_lock(taught))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGTERM)
        process.join()
    assert process.exitcode == 130, log.read_text()
    assert '"status": "interrupted"' in log.read_text().splitlines()[-1]
    kept = "select state, jsonb_path_query_array(summary, '$.stages[*].stage') from run where job = 'nightly'"
    assert rows(taught, kept) == [("failed", ORDER[:2])]
    assert rows(taught, "select count(*) from run where state = 'running'") == [(0,)]


def test_a_second_night_while_one_is_under_way_is_told_who_holds_the_lock(
    taught: str, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    log = tmp_path / "night.log"
    with stopped_in("snapshot_theta", taught, log) as process, connected(taught) as conn:
        wait(process, log, waits_for_a_lock(taught))
        conn.execute("set lock_timeout = '5s'")
        conn.commit()
        with pytest.raises(
            LockedError, match=f"nightly is under way already: run nightly-.*, process {process.pid} on "
        ):
            night(conn, taught, LATER)
        with pytest.raises(LockedError, match=f"snapshot_theta is under way already: .*, process {process.pid} on "):
            snapshot_job.work(context(conn, taught, "snapshot_theta", now=LATER))
    process.join()
    assert process.exitcode == 0, log.read_text()
    assert results(taught) == undisturbed


def test_two_nights_started_at_once_do_the_work_once(taught: str, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    processes = [start_night(taught, log) for log in logs]
    for process in processes:
        process.join()
    said = [log.read_text() for log in logs]
    assert {process.exitcode for process in processes} <= {0, 1}, said
    for process, other, text in zip(processes, reversed(processes), said, strict=True):
        held = rf"error: nightly is under way already: .*(process |:){other.pid}\b"
        assert process.exitcode == 0 or re.search(held, text), text
    assert results(taught) == undisturbed


@pytest.mark.parametrize("job", ORDER)
def test_a_stage_whose_job_is_under_way_elsewhere_does_not_run_twice(job: str, taught: str) -> None:
    with connected(taught) as conn:
        for before in ORDER[: ORDER.index(job)]:
            night(conn, taught, only=before, anyway=True)
        with (
            ledger.open_run(taught, job, as_of=TODAY, now=NOW) as other,
            pytest.raises(LockedError, match=f"{job} is under way already: run {other.run_id}"),
        ):
            night(conn, taught, LATER, only=job)
