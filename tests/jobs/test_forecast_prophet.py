"""The weekly forecasts: of whom, what a run leaves, what stays of the run before, what a vacation does."""

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
    write_answers,
)
from nights import night

from thetaline.jobs.abilities import weekly as weekly_theta
from thetaline.jobs.abilities.estimates import ItemsRetractedError
from thetaline.jobs.calibration.publication import retract
from thetaline.jobs.forecast import weekly
from thetaline.jobs.forecast.cohorts import cohorts_of
from thetaline.jobs.nightly import night as night_job
from thetaline.jobs.terms.store import replace_periods
from thetaline.learning.term_calendar import Period, PeriodKind

WEEK = timedelta(weeks=1)
MONDAY = TODAY - timedelta(days=6)
N_LEARNERS, N_ITEMS, N_WEEKS = 40, 60, 12
STORM, NEWCOMER = "u05", "u07"


@pytest.fixture(scope="module")
def forecast(module_database: str) -> Iterator[tuple[Connection, str]]:
    """Two classes over twelve weeks. One learner works thirty times as much in the last, one came three weeks ago."""
    with connected(module_database) as conn:
        write_answers(conn, answers())
        in_classes(conn)
        publish_items(conn, bank_params(N_ITEMS, np.random.default_rng(1)))
        weekly_theta.work(context(conn, module_database, weekly_theta.JOB))
        run(conn, module_database)
        yield conn, module_database


def answers(weeks: range = range(N_WEEKS)) -> Iterator[Answer]:
    rng = np.random.default_rng(3)
    for learner in range(N_LEARNERS):
        user, share = f"u{learner:02d}", rng.uniform(0.4, 0.9)
        for week in weeks:
            if user == NEWCOMER and week > 2:
                continue
            n = 180 if user == STORM and week == 0 else int(rng.poisson(6))
            for number in range(n):
                item = int(rng.integers(1, N_ITEMS + 1)) if n < N_ITEMS else number % N_ITEMS + 1
                yield Answer(user, item, bool(rng.random() < share), 7 * week + int(rng.integers(0, 6)))


def in_classes(conn: Connection) -> None:
    conn.execute("insert into classroom (classroom_id) values ('1a'), ('1b')")
    conn.execute(
        "insert into session (session_id, user_id, classroom_id, started_at)"
        " select user_id, user_id, case when user_id < 'u15' then '1a' else '1b' end, '2025-07-01' from learner"
    )
    conn.commit()


def run(conn: Connection, database: str, **options: Any) -> dict[str, Any]:
    found = dict(weekly.work(context(conn, database, weekly.JOB, **options)))
    conn.commit()
    return found


def rows(conn: Connection, query: str) -> list[tuple[Any, ...]]:
    return conn.execute(query).fetchall()


def test_every_learner_class_and_everybody_has_four_weeks_ahead(forecast: tuple[Connection, str]) -> None:
    found = rows(
        forecast[0],
        "select metric, count(distinct user_id), count(distinct classroom_id), count(*), min(week_start),"
        " max(week_start) from forecast_weekly group by metric order by metric",
    )
    n = 4 * (N_LEARNERS - 1 + 2 + 1)
    ahead = (TODAY + timedelta(days=1), TODAY + timedelta(days=22))
    assert found == [(metric, N_LEARNERS - 1, 2, n, *ahead) for metric in ("accuracy", "activity", "theta")]


def test_forecasts_lie_inside_their_bounds_and_near_what_was(forecast: tuple[Connection, str]) -> None:
    conn = forecast[0]
    outside = "select count(*) from forecast_weekly where mean not between low_95 and high_95 or low_80 > high_80"
    assert rows(conn, outside) == [(0,)]
    shares = "select min(low_95) >= 0, max(high_95) <= 1 from forecast_weekly where metric = 'accuracy'"
    assert rows(conn, shares) == [(True, True)]
    ((activity,),) = rows(
        conn,
        "select mean from forecast_weekly where metric = 'activity' and horizon = 1"
        " and user_id is null and classroom_id is null",
    )
    assert activity == pytest.approx(6.0, rel=0.35)


def test_a_series_that_is_too_short_has_its_reason(forecast: tuple[Connection, str]) -> None:
    found = rows(
        forecast[0],
        "select metric, weeks_known, reason from forecast_series join learner using (learner_no)"
        f" where user_id = '{NEWCOMER}' and metric <> 'theta' order by metric",
    )
    assert found == [(metric, 3, "too short: 3 of at least 4 weeks are known") for metric in ("accuracy", "activity")]


def test_a_week_of_thirty_times_the_work_is_an_anomaly_and_hardly_another_is(
    forecast: tuple[Connection, str],
) -> None:
    found = rows(
        forecast[0],
        "select user_id, classroom_id, week_start, value, expected, anomaly_score, detected_at from prophet_anomalies"
        " where metric = 'activity' and user_id is not null",
    )
    ((user, classroom, week, value, expected, score, detected),) = found
    assert (user, classroom, week, value, detected) == (STORM, None, MONDAY, 180.0, NOW)
    assert expected == pytest.approx(6, abs=3)
    assert score > 4


def test_the_meta_table_has_a_row_a_metric_with_what_was_not_fitted(forecast: tuple[Connection, str]) -> None:
    found = rows(
        forecast[0], "select metric, status, reason, forecast, metrics, intended_use from prophet_fit_meta order by 1"
    )
    by_metric = {metric: rest for metric, *rest in found}
    assert set(by_metric) == {"theta", "I_t", "accuracy", "activity"}
    none = f"not fitted because none of {N_LEARNERS} series has at least 4 known weeks"
    assert by_metric["I_t"][:2] == ["not fitted", none]
    status, reason, ahead, metrics, use = by_metric["accuracy"]
    assert (status, reason) == ("fitted", None)
    assert [one["classroom_id"] for one in ahead["cohorts"]] == [None, "1a", "1b"]
    assert ahead["weeks"][0] == {"week_start": "2025-11-03", "school_days": 7, "is_left_out": False}
    assert len(ahead["cohorts"][0]["ahead"]) == 4
    assert metrics["learners"]["n_forecast"] == N_LEARNERS - 1
    assert "Never shown to learners" in use


def test_the_same_week_and_answers_again_write_nothing(forecast: tuple[Connection, str]) -> None:
    conn, database = forecast
    assert run(conn, database)["status"] == "already_done"
    found = run(conn, database, dry_run=True)
    assert (found["n_anomalies"], found["fit"]) >= (1, "fitted")
    assert "I_t not fitted because none of" in found["reason"]
    assert rows(conn, "select count(distinct run_id) from prophet_fit_meta") == [(1,)]


def test_the_theta_of_everybody_carries_the_spread_of_learners_as_its_error() -> None:
    cohorts = cohorts_of(["1a"] * 6 + ["1b"] * 4)
    assert cohorts.names == (None, "1a")
    values = np.random.default_rng(1).normal(size=(10, 50))
    values[9, 3] = np.nan
    mean, se = cohorts.means(values)
    assert mean[0, 3] == pytest.approx(np.nanmean(values[:, 3]))
    assert mean[1, 0] == pytest.approx(values[:6, 0].mean())
    assert se[0, 0] == pytest.approx(np.sqrt(0.1), rel=0.1)
    assert se[0, 3] == pytest.approx(se[0, 0] * np.sqrt(10 / 9))


def test_a_vacation_raises_no_anomaly_and_the_week_before_stands(conn: Connection, database: str) -> None:
    write_answers(conn, answers(range(1, N_WEEKS)))
    days = Period(MONDAY, TODAY, PeriodKind.VACATION, "Chuseok")
    replace_periods(conn, "test", [days])
    conn.commit()
    found = run(conn, database)
    assert found["n_anomalies"] == 0
    replace_periods(conn, "test", [])
    conn.commit()
    again = run(conn, database, now=NOW + timedelta(hours=1))
    assert again["run_id"] != found["run_id"]
    assert again["n_anomalies"] > 20
    everybody = "select metric, value from prophet_anomalies where user_id is null"
    assert rows(conn, everybody) == [("activity", 0.0)]
    replace_periods(conn, "test", [days])  # as before: what is current is of another calendar all the same
    conn.commit()
    last = run(conn, database, now=NOW + timedelta(hours=2))
    assert last.get("status") != "already_done"
    assert rows(conn, "select distinct run_id from forecast_weekly") == [(last["run_id"],)]
    assert rows(conn, everybody) == []


def test_an_exam_ahead_or_a_learner_in_another_class_makes_another_fit(conn: Connection, database: str) -> None:
    write_answers(conn, answers(range(4)))
    in_classes(conn)

    def fingerprint() -> str:
        return weekly.read_series(context(conn, database, weekly.JOB), TODAY).fingerprint()

    found = [fingerprint(), fingerprint()]
    assert found[0] == found[1]
    exam = Period(TODAY + timedelta(days=2), TODAY + timedelta(days=4), PeriodKind.EXAM, "midterms")
    replace_periods(conn, "test", [exam])
    found.append(fingerprint())
    conn.execute("update session set classroom_id = '1b' where session_id = 'u01'")
    conn.commit()
    found.append(fingerprint())
    assert len(set(found)) == 3


def test_data_that_carry_no_forecast_leave_the_reason_and_the_forecasts_of_the_week_before(
    conn: Connection, database: str
) -> None:
    write_answers(conn, answers(range(1, 7)))
    run(conn, database, as_of=TODAY - WEEK, now=NOW - WEEK)
    before = rows(conn, "select count(*), max(week_start) from forecast_weekly")
    conn.execute("delete from exam_results")
    conn.commit()
    found = run(conn, database)
    assert found["fit"] == "not fitted"
    assert "theta not fitted because none of 0 series has at least 4 known weeks" in found["reason"]
    assert rows(conn, "select count(*), max(week_start) from forecast_weekly") == before
    statuses = "select status, count(*) from prophet_fit_meta where fitted_at = %s group by status"
    assert conn.execute(statuses, [NOW]).fetchall() == [("not fitted", 4)]


def test_a_calibration_that_is_taken_back_takes_the_forecasts_on_its_theta_along(
    conn: Connection, database: str
) -> None:
    write_answers(conn, answers(range(6)))
    publish_items(conn, bank_params(N_ITEMS, np.random.default_rng(1)))
    first = run(conn, database, as_of=TODAY - WEEK, now=NOW - WEEK)
    weekly_theta.work(context(conn, database, weekly_theta.JOB))
    second = run(conn, database)
    newest = "select distinct run_id from forecast_weekly"
    assert rows(conn, newest) == [(second["run_id"],)]
    retract(conn, "fit-test", reason="test", now=NOW)
    assert rows(conn, newest) == [(first["run_id"],)]
    assert rows(conn, "select count(*) from prophet_anomalies where week_start = '2025-10-27'") == [(0,)]


def test_a_calibration_that_is_taken_back_meanwhile_stores_nothing(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_answers(conn, answers(range(6)))
    publish_items(conn, bank_params(N_ITEMS, np.random.default_rng(1)))
    weekly_theta.work(context(conn, database, weekly_theta.JOB))
    read = weekly.read_series

    def read_then_retracted(*given: Any) -> Any:
        found = read(*given)
        with connected(database) as other:
            retract(other, "fit-test", reason="test", now=NOW)
            other.commit()
        return found

    monkeypatch.setattr(weekly, "read_series", read_then_retracted)
    with pytest.raises(ItemsRetractedError, match="fit-test was retracted"):
        run(conn, database)
    conn.rollback()
    assert rows(conn, "select count(*) from prophet_fit_meta") == [(0,)]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "none of 0 series"),
        ([Answer("u1", 1, True, 7 * week) for week in range(8)], "accuracy not fitted because all values"),
    ],
)
def test_an_empty_school_or_one_learner_who_is_always_right_is_no_error(
    conn: Connection, database: str, given: list[Answer], reason: str
) -> None:
    write_answers(conn, given)
    found = run(conn, database)
    assert found["fit"] == "not fitted"
    assert reason in found["reason"]


def test_the_settings_say_how_far_back_and_ahead(conn: Connection, database: str) -> None:
    write_answers(conn, answers(range(6)))
    options = {"prophet_lookback_weeks": 5, "prophet_forecast_weeks": 2, "prophet_anomaly_threshold": 100.0}
    assert run(conn, database, **options)["n_anomalies"] == 0
    assert rows(conn, "select max(horizon), max(week_start) from forecast_weekly") == [(2, date(2025, 11, 10))]
    assert rows(conn, "select max(weeks_known) from forecast_series") == [(5,)]


def test_the_night_forecasts_once_a_week_after_weekly_theta(conn: Connection, database: str) -> None:
    stages = [stage for stage in night_job.STAGES if stage.name == weekly.JOB]
    found = night(conn, database, stages=stages, anyway=True, only=None)
    ended = [(one["stage"], one["status"], one["fit"]) for one in found["stages"]]
    assert ended == [("forecast_prophet", "done", "not fitted")]
    (stage,) = stages
    assert stage.weekly
    assert set(stage.all_needs) == {"weekly_theta", "compute_daily_kpis"}
