"""kill -9 inside the weekly fits, and items published anew between two weeks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learners import NOW, TODAY, Connection, bank_params, connected, context, publish_items, simulated, write_answers
from processes import kill, start, wait, writes_stopped

from thetaline.jobs.abilities import weekly
from thetaline.jobs.forecast import weekly as forecast
from thetaline.jobs.growth import lines, mixed
from waiting import waits_for_a_lock

PARAMS = bank_params(100, np.random.default_rng(5))


@pytest.fixture
def school(database: str) -> Iterator[Connection]:
    """Forty learners over four weeks, every other one growing, with their θ of each."""
    rng = np.random.default_rng(6)
    levels, slopes = np.linspace(-1, 1, 40), np.tile([0.5, 0.0], 20)
    with connected(database) as conn:
        publish_items(conn, PARAMS)
        for number, days in enumerate((3, 10, 17, 24)):
            theta = {f"u{i:02d}": float(levels[i] - slopes[i] * number) for i in range(40)}
            items = range(1 + 25 * number, 26 + 25 * number)
            write_answers(conn, simulated(theta, PARAMS, items, rng, days_ago=(days,)))
        weekly.work(context(conn, database, weekly.JOB))
        conn.commit()
        yield conn


def left(conn: Connection) -> list[tuple[Any, ...]]:
    """Every row that a fit leaves, without ids of runs."""
    query = """select job, learner_no, level, slope from growth_line join run using (run_id)
               union all select 'kpi', learner_no, (kpis ->> 'growth_level')::float8, (kpis ->> 'growth_slope')::float8
               from weekly_kpi join learner using (user_id) order by 1, 2"""
    found = conn.execute(query).fetchall()
    conn.rollback()
    return found


@pytest.mark.parametrize(("job", "meta"), [(lines, "growth_brms_meta"), (mixed, "growth_glmm_meta")])
def test_a_fit_that_is_killed_where_it_writes_leaves_nothing_and_is_made_anew(
    job: Any, meta: str, school: Connection, database: str, tmp_path: Path
) -> None:
    log = tmp_path / "fit.log"
    with writes_stopped(database, "weekly_kpi"):  # its meta row and its lines are written by then
        process = start(job.main, ["--date", str(TODAY)], database, log)
        wait(process, log, waits_for_a_lock(database))
        kill(process)
    assert left(school) == []
    assert school.execute(f"select count(*) from {meta}").fetchone() == (0,)
    school.rollback()
    job.work(context(school, database, job.JOB, now=NOW))
    school.commit()
    assert len(left(school)) == 80
    query = "select state, starts_with(error, 'orphaned: process ') from run where job = %s order by started_at desc"
    assert set(school.execute(query, [job.JOB]).fetchall()) == {("published", None), ("failed", True)}


def test_forecasts_that_are_killed_where_they_are_written_leave_nothing_and_are_made_anew(
    school: Connection, database: str, tmp_path: Path
) -> None:
    log, count = tmp_path / "fit.log", "select count(*) from prophet_fit_meta union all select count(*) from {}"
    with writes_stopped(database, "forecast_anomaly"):  # its meta rows, series and values are written by then
        process = start(forecast.main, ["--date", str(TODAY)], database, log)
        wait(process, log, waits_for_a_lock(database))
        kill(process)
    assert school.execute(count.format("forecast_value")).fetchall() == [(0,), (0,)]
    school.rollback()
    forecast.work(context(school, database, forecast.JOB, now=NOW))
    school.commit()
    assert school.execute(count.format("forecast_weekly")).fetchall() == [(4,), (2 * 4 * 41,)]  # activity never changes


def test_items_published_anew_make_another_fit_of_the_same_week(school: Connection, database: str) -> None:
    first = lines.work(context(school, database, lines.JOB))
    school.commit()
    before = left(school)
    moved = {item: {**one, "b": one["b"] + 0.5} for item, one in PARAMS.items()}
    publish_items(school, moved, run_id="fit-anew")
    second = lines.work(context(school, database, lines.JOB))
    school.commit()
    assert second["run_id"] != first["run_id"]
    newest = (
        "select learner_no, level from growth_line where run_id = newest_growth('fit_bayesian_growth', %s) order by 1"
    )
    after = np.array(school.execute(newest, [TODAY]).fetchall())
    levels = np.array([row[2] for row in before if row[0] == lines.JOB])
    assert np.mean(after[:, 1] - levels) == pytest.approx(0.5, abs=0.05)
    assert lines.work(context(school, database, lines.JOB))["status"] == "already_done"
