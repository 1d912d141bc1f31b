"""The two weekly growth jobs: what they leave by run and in the KPIs, and what they do without enough data."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from learners import (
    NOW,
    TODAY,
    Answer,
    Connection,
    bank_params,
    connected,
    context,
    publish_items,
    simulated,
    write_answers,
)
from nights import night

from thetaline.errors import JobError
from thetaline.jobs.abilities import snapshot, weekly
from thetaline.jobs.calibration.publication import publish, retract
from thetaline.jobs.growth import lines, mixed
from thetaline.jobs.kpis import compute
from thetaline.jobs.nightly import night as night_job

MONDAY = date(2025, 10, 27)
SIX_WEEKS = tuple(range(3, 42, 7))
LEVELS, SLOPES = np.linspace(-1, 1, 40), np.tile([0.35, 0.0], 20)


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connected(database) as conn:
        yield conn


@pytest.fixture(scope="module")
def grown(module_database: str) -> Iterator[tuple[Connection, str]]:
    """Forty learners over six weeks, every other one growing by 0.35 a week, after both jobs."""
    with connected(module_database) as conn:
        write_growth(conn)
        make_weeks(conn, module_database)
        snapshot.work(context(conn, module_database, snapshot.JOB))
        conn.commit()
        compute.work(context(conn, module_database, compute.JOB))
        for job in (mixed, lines):
            run(job, conn, module_database)
        yield conn, module_database


def write_growth(conn: Connection) -> None:
    rng = np.random.default_rng(8)
    params = bank_params(150, rng)
    publish_items(conn, params)
    for number, days in enumerate(SIX_WEEKS):
        theta = {f"u{i:02d}": float(LEVELS[i] - SLOPES[i] * number) for i in range(40)}
        items = range(1 + 25 * number, 26 + 25 * number)
        write_answers(conn, simulated(theta, params, items, rng, days_ago=(days,), topics=("algebra", "geometry")))
    conn.execute(
        "insert into interest_goal (user_id, topic_id, target_level, target_date) values"
        " ('u00', 'algebra', 0.0, '2025-11-23'), ('u01', 'algebra', 0.0, '2025-11-23'),"
        " ('u02', 'algebra', 0.0, '2027-11-23'), ('u03', 'algebra', 0.0, null)"
    )
    conn.commit()


def make_weeks(conn: Connection, database: str) -> None:
    weekly.work(context(conn, database, weekly.JOB))
    conn.commit()


def run(job: Any, conn: Connection, database: str, **options: Any) -> dict[str, Any]:
    found = dict(job.work(context(conn, database, job.JOB, **options)))
    conn.commit()
    return found


def kpis(conn: Connection, user: str) -> dict[str, Any]:
    query = "select kpis from weekly_kpi where user_id = %s and week_start = %s"
    return dict((conn.execute(query, (user, MONDAY)).fetchone() or ({},))[0])


def of_lines(conn: Connection, job: str) -> np.ndarray:
    query = """select slope, slope_se, level, level_se from growth_line join learner using (learner_no)
               where run_id = newest_growth(%s, %s) order by user_id"""
    return np.array(conn.execute(query, (job, TODAY)).fetchall(), float)


@pytest.mark.parametrize("job", [mixed.JOB, lines.JOB])
def test_growing_learners_have_the_steeper_lines_and_intervals_hold_the_truth(
    grown: tuple[Connection, str], job: str
) -> None:
    slope, slope_se, level, level_se = of_lines(grown[0], job).T
    assert slope.size == 40
    assert slope[SLOPES > 0].mean() - slope[SLOPES == 0].mean() > 0.12
    assert np.mean(np.abs(slope - SLOPES) < 1.96 * slope_se) > 0.85
    assert np.mean(np.abs(level - LEVELS) < 1.96 * level_se) > 0.85


def test_the_meta_tables_say_what_was_fitted(grown: tuple[Connection, str]) -> None:
    query = "select formula, fixed_effects, random_effects_summary, fit_metrics, status from growth_glmm_meta"
    formula, fixed, random, metrics, status = grown[0].execute(query).fetchone() or ()
    assert (formula, status) == ("score ~ week + (week|student)", "fitted")
    assert [one["term"] for one in fixed] == ["(Intercept)", "week"]
    assert random["student"]["n_levels"] == 40
    assert metrics.keys() >= {"logLik", "AIC", "BIC", "RMSE"}
    query = "select priors, posterior_summary, diagnostics, status from growth_brms_meta"
    priors, posterior, diagnostics, status = grown[0].execute(query).fetchone() or ()
    assert status in ("fitted", "simplified")
    assert "slope_sd" in priors
    assert posterior["fixed"]["slope"]["estimate"] == pytest.approx(0.17, abs=0.1)
    assert diagnostics["n_learners"] == 40


def test_each_job_merges_its_own_keys_and_the_nightly_ones_stay(grown: tuple[Connection, str]) -> None:
    found = kpis(grown[0], "u05")
    assert found.keys() >= {"glmm_slope", "growth_slope", "growth_level_se", "A_t", "as_of"}
    assert (found["glmm_as_of"], found["growth_as_of"], found["growth_trend"]) == (str(TODAY), str(TODAY), "line")
    assert found["P_source"] == "ability"
    compute.work(context(*grown, compute.JOB, now=NOW + timedelta(hours=1)))
    grown[0].commit()
    assert kpis(grown[0], "u05") == found


def test_a_dated_goal_has_a_probability_that_p_yields_to_while_it_is_fresh(grown: tuple[Connection, str]) -> None:
    conn, database = grown
    growing, level = kpis(conn, "u00"), kpis(conn, "u01")
    assert growing["goal_probability"] > level["goal_probability"]
    assert growing["goal_ever_probability"] >= growing["goal_probability"]
    assert (growing["P"], growing["P_source"]) == (growing["goal_probability"], "fit_bayesian_growth")
    assert kpis(conn, "u03")["P_source"] == "ability"  # no date
    write_answers(conn, [Answer("u00", 1, True, -number) for number in (1, 8)])
    for days, source in ((1, "fit_bayesian_growth"), (8, "ability")):
        day = TODAY + timedelta(days=days)
        compute.work(context(conn, database, compute.JOB, as_of=day, now=NOW + timedelta(days=days)))
        query = "select kpis ->> 'P_source' from weekly_kpi where user_id = 'u00' and kpis ->> 'as_of' = %s"
        assert conn.execute(query, [str(day)]).fetchone() == (source,)
    conn.rollback()


def test_p_of_a_night_before_the_fit_yields_when_the_fit_is_made_up_for(grown: tuple[Connection, str]) -> None:
    conn, database = grown
    write_answers(conn, [Answer("u00", 1, True, -1)])
    day = TODAY + timedelta(days=1)
    compute.work(context(conn, database, compute.JOB, as_of=day, now=NOW + timedelta(days=1)))
    conn.execute("select set_config('thetaline.kpi_writer', 'compute_daily_kpis', true)")
    conn.execute("""update weekly_kpi set kpis = kpis || '{"P": 0.5, "P_source": "ability"}' where user_id = 'u00'""")
    lines.work(context(conn, database, lines.JOB, now=NOW + timedelta(days=1)))
    query = """select kpis ->> 'P_source', kpis ->> 'as_of' from weekly_kpi
               where user_id = 'u00' and week_start <= %s order by week_start"""
    found = conn.execute(query, [day]).fetchall()
    assert found == [("fit_bayesian_growth", str(TODAY)), ("fit_bayesian_growth", str(day))]
    conn.rollback()


def test_a_goal_that_changed_is_not_answered_by_the_old_probability(grown: tuple[Connection, str]) -> None:
    conn, database = grown
    conn.execute("update interest_goal set target_level = 1.5 where user_id = 'u00'")
    compute.recompute(context(conn, database, compute.JOB), ["u00"])
    assert kpis(conn, "u00")["P_source"] == "ability"
    conn.rollback()


def test_a_goal_beyond_twice_the_observed_span_says_why_it_has_no_probability(grown: tuple[Connection, str]) -> None:
    found = kpis(grown[0], "u02")
    assert "goal_probability" not in found
    assert found["goal_stopped"] == "beyond twice the observed span"
    row = grown[0].execute("select probability, reason from growth_goal where target_date = '2027-11-23'").fetchone()
    assert row == (None, "beyond twice the observed span")


def test_a_target_that_is_no_number_is_told_and_stops_no_other_goal(grown: tuple[Connection, str]) -> None:
    conn, database = grown
    conn.execute("insert into interest_goal values ('u07', 'algebra', 'NaN', 1, '2025-11-23')")
    conn.commit()
    run(lines, conn, database, now=NOW + timedelta(hours=4))
    compute.work(context(conn, database, compute.JOB, now=NOW + timedelta(hours=5)))
    conn.commit()
    assert kpis(conn, "u07")["goal_stopped"] == "the target is no number"
    assert kpis(conn, "u07").get("P_source") != "fit_bayesian_growth"
    assert "goal_probability" in kpis(conn, "u00")


@pytest.mark.parametrize("job", [mixed, lines])
def test_the_same_data_twice_make_one_run(grown: tuple[Connection, str], job: Any) -> None:
    conn, database = grown
    before = conn.execute("select count(*) from growth_line").fetchone()
    again = run(job, conn, database, now=NOW + timedelta(hours=2))
    assert again["status"] == "already_done"
    assert conn.execute("select count(*) from growth_line").fetchone() == before


@pytest.mark.parametrize("job", [mixed, lines])
def test_a_dry_run_fits_and_writes_nothing(grown: tuple[Connection, str], job: Any) -> None:
    conn, database = grown
    before = conn.execute("select count(*) from run").fetchone()
    assert run(job, conn, database, dry_run=True)["fit"] in ("fitted", "simplified")
    assert conn.execute("select count(*) from run").fetchone() == before


@pytest.mark.parametrize(
    ("answers", "of_mixed", "of_lines"),
    [
        (
            [Answer("u1", 1, True, 1), Answer("u1", 2, False, 1)],
            "not fitted because there are 1 of at least 10 weekly θ (GLMM_MIN_OBSERVATIONS)",
            "not fitted because 1 of at least 5 learners have answers",
        ),
        (
            [Answer(f"u{user}", 1, user % 2 == 0, 1) for user in range(12)],
            "not fitted because every week is 0; a slope needs two different values",
            "not fitted because all answers are of 1 week; a line needs at least 2",
        ),
        (
            [Answer(f"u{user}", 1, True, day) for user in range(12) for day in (1, 8)],
            "not fitted because every score is",
            "not fitted because all 24 answers are right",
        ),
        (
            [Answer(f"u{user}", 1, False, day) for user in range(12) for day in (1, 8)],
            "not fitted because every score is",
            "not fitted because all 24 answers are wrong",
        ),
        (
            [Answer("u1", day, day % 3 > 0, day) for day in range(1, 80)],
            "not fitted because there is one student only",
            "not fitted because 1 of at least 5 learners",
        ),
    ],
    ids=["too few", "one week", "all right", "all wrong", "one learner"],
)
def test_too_little_data_leaves_its_reason_and_the_values_before(
    conn: Connection, database: str, answers: list[Answer], of_mixed: str, of_lines: str
) -> None:
    publish_items(conn, bank_params(90, np.random.default_rng(2)))
    write_answers(conn, answers)
    make_weeks(conn, database)
    for job, reason, table in ((mixed, of_mixed, "growth_glmm_meta"), (lines, of_lines, "growth_brms_meta")):
        found = run(job, conn, database)
        assert found["fit"] == "not fitted"
        status, said = conn.execute(f"select status, reason from {table}").fetchone() or ()
        assert status == "not fitted"
        assert said.startswith(reason)
        state = conn.execute("select state from run where run_id = %s", [found["run_id"]]).fetchone()
        assert state == ("done",)
    assert conn.execute("select count(*) from growth_line").fetchone() == (0,)


def test_a_week_without_a_fit_keeps_the_keys_of_the_fit_before(grown: tuple[Connection, str]) -> None:
    conn, database = grown
    before = kpis(conn, "u05")
    found = run(mixed, conn, database, now=NOW + timedelta(hours=3), glmm_min_observations=1000)
    assert found["reason"].startswith("not fitted because there are 240 of at least 1000")
    assert kpis(conn, "u05") == before


def test_slopes_stay_out_of_the_kpis_where_a_setting_says_so(conn: Connection, database: str) -> None:
    write_growth(conn)
    make_weeks(conn, database)
    run(mixed, conn, database, glmm_update_kpi=False)
    assert conn.execute("select count(*) from growth_line").fetchone() == (40,)
    assert conn.execute("select count(*) from weekly_kpi").fetchone() == (0,)


def test_growth_without_weekly_theta_says_what_to_run(conn: Connection, database: str) -> None:
    publish_items(conn, bank_params(3, np.random.default_rng(2)))
    with pytest.raises(JobError, match="run `thetaline weekly-theta --date 2025-11-02` first"):
        run(mixed, conn, database)


def test_the_chain_runs_growth_after_the_weeks_and_a_retracted_calibration_takes_it_along(
    conn: Connection, database: str
) -> None:
    write_growth(conn)
    stages = [stage for stage in night_job.STAGES if stage.name in (weekly.JOB, mixed.JOB, lines.JOB)]
    found = night(conn, database, stages=stages, anyway=True)
    assert [(one["stage"], one["status"]) for one in found["stages"]] == [
        ("weekly_theta", "done"),
        ("fit_growth_glmm", "done"),
        ("fit_bayesian_growth", "done"),
    ]
    conn.rollback()
    newest = "select newest_growth('fit_growth_glmm', %s), newest_growth('fit_bayesian_growth', %s)"
    assert None not in (conn.execute(newest, [TODAY, TODAY]).fetchone() or (None,))
    keys = (
        "select count(*) from weekly_kpi"
        " where kpis ?| (kpi_keys_of('fit_growth_glmm') || kpi_keys_of('fit_bayesian_growth'))"
    )
    assert conn.execute(keys).fetchone() != (0,)
    retract(conn, "fit-test", reason="test", now=NOW)
    assert conn.execute(newest, [TODAY, TODAY]).fetchone() == (None, None)
    assert conn.execute(keys).fetchone() == (0,)
    publish(conn, "fit-test", reason="right after all", now=NOW)
    assert conn.execute(newest, [TODAY, TODAY]).fetchone() == (None, None)
    conn.commit()
    again = night(conn, database, stages=stages, anyway=True)
    assert [one["status"] for one in again["stages"]] == ["already_done", "done", "done"]
    conn.rollback()
    assert conn.execute(keys).fetchone() != (0,)
