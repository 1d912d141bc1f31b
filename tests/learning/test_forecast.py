"""Forecasts of weekly series: a filter that is exact, intervals that hold, alarms that are few and meant."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from benchmarks.forecast_anomalies import change_shares, planted_week
from benchmarks.simulated_weeks import simulated_weeks
from scipy.stats import multivariate_normal

from thetaline.errors import InputError
from thetaline.learning.forecast import (
    Metric,
    Panel,
    PanelForecast,
    anomalies,
    forecast_panel,
    week_calendar,
)
from thetaline.learning.forecast.kalman import DAMPING, TrendVariances, run_filter
from thetaline.learning.forecast.pooling import pooled_variances
from thetaline.learning.forecast.student_t import log_density
from thetaline.learning.term_calendar import Period, PeriodKind, TermCalendar

V = TrendVariances(0.2, 0.8, 0.05, 0.01, 0.03, 0.002, 0.05)
HOLIDAYS = TermCalendar(
    (
        Period(date(2025, 10, 3), date(2025, 10, 9), PeriodKind.VACATION, "Chuseok"),
        Period(date(2025, 10, 22), date(2025, 10, 22), PeriodKind.EXAM, "midterm"),
    )
)


def theta_panel(value: Any, se: float = 0.4, left_out: tuple[int, ...] = ()) -> Panel:
    given = np.array(value, float, ndmin=2)
    weeks = np.isin(np.arange(given.shape[1]), left_out)
    return Panel(Metric.THETA, given, np.full(given.shape, se), weeks)


def walks(n: int, weeks: int, *, seed: int = 1, se: float = 0.4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    level = rng.normal(size=(n, 1)) + np.cumsum(rng.normal(scale=0.15, size=(n, weeks)), axis=1)
    return level + se * rng.normal(size=(n, weeks))


def fitted(panel: Panel, **options: Any) -> PanelForecast:
    found = forecast_panel(panel, **options)
    assert found.reason == ""
    return found


def dense_moments(sampling: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of y by the definition: y = level_0 + slopes + walks + noise."""
    weeks = sampling.size
    ahead = np.array([sum(DAMPING**step for step in range(1, week + 1)) for week in range(weeks)])
    cov = V.level_variance + V.slope_variance * np.outer(ahead, ahead)
    for week in range(1, weeks):
        since = np.arange(weeks) - week
        cov = cov + V.level_walk * np.outer(since >= 0, since >= 0)
        shock = np.where(since > 0, ahead[np.maximum(since, 0)], 0.0)
        cov = cov + V.slope_walk * np.outer(shock, shock)
    return V.level + V.slope * ahead, cov + np.diag(V.noise + sampling)


def test_the_filter_has_the_likelihood_of_the_normal_distribution_that_the_model_is():
    rng = np.random.default_rng(2)
    sampling = rng.uniform(0.05, 0.4, 7)
    mean, cov = dense_moments(sampling)
    y = mean + 0.5 * rng.normal(size=7)
    known = np.array([1, 1, 0, 1, 0, 1, 1], bool)
    found = run_filter(y[None], sampling[None], known[None], V)
    ours = (log_density(found.z, found.scale2, found.dof) - 0.5 * np.log(found.variance))[known[None]].sum()
    exact = multivariate_normal(mean[known], cov[np.ix_(known, known)]).logpdf(y[known])
    assert ours == pytest.approx(exact, abs=1e-9)


def test_shared_variances_are_found_again():
    rng = np.random.default_rng(3)
    n, weeks, sampling = 400, 20, np.full((400, 20), 0.1)
    level = rng.normal(0.5, 1.0, n)
    rows = []
    for _ in range(weeks):
        rows.append(level + rng.normal(scale=np.sqrt(0.1 + 0.04), size=n))
        level = level + rng.normal(scale=0.2, size=n)
    found = pooled_variances(np.stack(rows, axis=1), sampling, np.ones((n, weeks), bool))
    assert found.level == pytest.approx(0.5, abs=0.1)
    assert found.level_variance == pytest.approx(1.0, rel=0.15)
    assert found.level_walk + found.slope_walk == pytest.approx(0.04, rel=0.2)
    assert found.noise == pytest.approx(0.04, rel=0.3)


def test_a_few_outliers_do_not_widen_everybodys_forecasts():
    rng = np.random.default_rng(10)
    value, sampling, known = walks(300, 12), np.full((300, 12), 0.16), np.ones((300, 12), bool)
    odd = value + 4.0 * (rng.random(value.shape) < 0.03)
    quiet, outlying = (pooled_variances(one, sampling, known) for one in (value, odd))
    assert outlying.noise + outlying.level_walk < quiet.noise + quiet.level_walk + 0.2  # 0.37 more by squares


def test_weeks_before_the_first_value_change_nothing():
    y = walks(5, 8)
    late = np.concatenate([np.full((5, 4), np.nan), y], axis=1)
    ends = [run_filter(one, np.full(one.shape, 0.16), np.isfinite(one), V).state for one in (y, late)]
    np.testing.assert_allclose(ends[0].level, ends[1].level)
    np.testing.assert_allclose(ends[0].p11, ends[1].p11)


@pytest.mark.parametrize("metric", Metric)
def test_intervals_hold_what_comes_and_keep_the_metrics_bounds(metric: Metric):
    whole = simulated_weeks(np.random.default_rng(4), 600, 16).panel(metric)
    panel = Panel(metric, whole.value[:, :12], whole.size[:, :12], whole.left_out[:12])
    ahead = fitted(panel).forecasts
    assert ahead is not None
    truth = np.where(whole.left_out, np.nan, whole.value)[:, 12:]
    some = np.isfinite(truth) & np.isfinite(ahead.mean)
    low95, low80, high80, high95 = (ahead.bounds[..., at] for at in range(4))
    assert ((truth >= low80) & (truth <= high80))[some].mean() == pytest.approx(0.8, abs=0.07)
    assert ((truth >= low95) & (truth <= high95))[some].mean() == pytest.approx(0.95, abs=0.035)
    rows = np.isfinite(ahead.mean)
    assert (np.diff(ahead.bounds[rows], axis=-1) >= 0).all()
    lowest, highest = {Metric.THETA: (-np.inf, np.inf), Metric.ACTIVITY: (0, np.inf)}.get(metric, (-1.0, 1.0))
    lowest = 0.0 if metric is Metric.ACCURACY else lowest
    assert (ahead.bounds[rows] >= lowest).all()
    assert (ahead.bounds[rows] <= highest).all()


def test_an_imprecise_week_moves_the_forecast_less():
    value = walks(200, 8)
    value[0] = value[1] = [0.0] * 7 + [1.5]
    panel = theta_panel(value)
    panel.size[1, -1] = 2.0
    ahead = fitted(panel).forecasts
    assert ahead is not None
    assert 0 < ahead.mean[1, 0] < 0.5 * ahead.mean[0, 0]


def test_quiet_weeks_raise_hardly_an_alarm_and_what_is_planted_is_found():
    rng = np.random.default_rng(5)
    assert sum(planted_week(rng, metric, 1_000, 0.0).false for metric in (Metric.ACCURACY, Metric.ACTIVITY)) <= 1
    found, false, planted = planted_week(rng, Metric.THETA, 3_000, 6.0)
    assert found >= 0.9 * planted
    assert false <= 0.25 * (found + false)  # 10 % on the average of weeks


def test_the_test_of_the_newest_week_has_not_seen_it():
    value = walks(150, 9)
    later = value.copy()
    later[:, -1] += np.random.default_rng(6).normal(scale=3.0, size=150)
    first, second = fitted(theta_panel(value)), fitted(theta_panel(later))
    assert first.variances == second.variances
    assert first.newest is not None
    assert second.newest is not None
    np.testing.assert_array_equal(first.newest.expected, second.newest.expected)
    change = (second.newest.score - first.newest.score) / (later - value)[:, -1]
    assert (change > 0).all()


def test_an_outlier_that_was_seen_does_not_hide_the_next():
    value = walks(400, 12)
    value[0, -1] = value[0, :-1].mean() + 6.0
    alone = fitted(theta_panel(value)).newest
    value[0, -2] = value[0, -1]
    after_another = fitted(theta_panel(value)).newest
    assert alone is not None
    assert after_another is not None
    assert anomalies(alone.score, alone.p)[0]
    assert anomalies(after_another.score, after_another.p)[0]
    assert after_another.score[0] > 0.7 * alone.score[0]


def test_the_threshold_is_a_further_bound():
    score, p = np.array([4.5, -3.0, 0.5]), np.array([1e-5, 3e-3, 0.6])
    assert anomalies(score, p).tolist() == [True, True, False]
    assert anomalies(score, p, threshold=4.0).tolist() == [True, False, False]
    assert anomalies(np.array([np.nan]), np.array([np.nan])).tolist() == [False]


def test_no_test_of_a_count_is_surer_than_sampling_allows():
    counts = np.random.default_rng(11).poisson(6, (400, 12)).astype(float)
    counts[0, -1] = 0.0
    size = np.ones_like(counts)
    test = fitted(Panel(Metric.ACTIVITY, counts, size, np.zeros(12, bool))).newest
    assert test is not None
    assert test.p[0] >= 2 * np.exp(-test.expected[0])  # P(0) of a Poisson count
    shares = Panel(Metric.ACCURACY, np.minimum(counts, 6) / 6, 6 * size, np.zeros(12, bool))
    test = fitted(shares).newest
    assert test is not None
    assert test.p[0] >= 2 * (1 - test.expected[0]) ** 6  # of a binomial one


def test_a_vacation_is_no_anomaly_and_no_part_of_what_comes():
    rng = np.random.default_rng(7)
    counts = rng.poisson(20, (200, 12)).astype(float)
    counts[:, -1] = 0.0
    none = np.zeros(12, bool)
    away = np.arange(12) == 11
    size = np.ones_like(counts)
    told, untold = (fitted(Panel(Metric.ACTIVITY, counts, size, weeks)) for weeks in (away, none))
    assert told.newest is not None
    assert untold.newest is not None
    assert np.isnan(told.newest.p).all()
    assert anomalies(untold.newest.score, untold.newest.p).all()
    assert told.forecasts is not None
    assert told.forecasts.mean.mean() == pytest.approx(20, rel=0.05)


def test_a_holiday_is_no_anomaly_of_who_keeps_it_nor_of_who_works_it_through():
    rng = np.random.default_rng(5)
    share = np.ones(12)
    share[-1] = 4 / 7
    counts = rng.poisson(25, (200, 12)).astype(float)
    counts[:100, -1] = rng.poisson(25 * 4 / 7, 100)  # the first hundred keep it
    counts[0, -1], counts[100, -1] = 150, 0
    size = share + np.zeros_like(counts)
    panel = Panel(Metric.ACTIVITY, counts / size, size, np.zeros(12, bool), share)
    newest = fitted(panel).newest
    assert newest is not None
    alarms = anomalies(newest.score, newest.p)
    assert alarms[[0, 100]].all()
    assert alarms.sum() <= 3  # one of them by chance
    unaware = fitted(replace(panel, school_share=None)).newest
    assert unaware is not None
    assert anomalies(unaware.score, unaware.p)[100:].sum() > 10


def test_weeks_of_vacation_and_exams_are_told_from_others():
    found = week_calendar(date(2025, 9, 29), 4, HOLIDAYS)
    assert found.school_days.tolist() == [4, 3, 7, 7]
    assert found.left_out.tolist() == [False, True, False, True]


def test_few_quiet_series_have_a_change_point_and_a_lasting_shift_has_one_where_it_is():
    rng = np.random.default_rng(8)
    assert change_shares(rng, 500, 12, 0.0)[0] <= 0.06
    share, right = change_shares(rng, 300, 12, 2.0)
    assert share >= 0.5
    assert right >= 0.6


def test_one_odd_week_is_no_change_point():
    value = walks(300, 14, se=0.3)
    value[:20, 7] += 4.0
    changes = fitted(theta_panel(value, se=0.3)).changes
    assert changes is not None
    assert changes.found[:20].mean() <= 0.2


def test_a_change_of_level_has_its_size_in_the_metrics_units():
    rng = np.random.default_rng(9)
    n = np.full((200, 16), 40.0)
    p = np.where((np.arange(200)[:, None] < 20) & (np.arange(16) >= 8), 0.9, 0.5)
    changes = fitted(Panel(Metric.ACCURACY, rng.binomial(40, p) / 40, n, np.zeros(16, bool))).changes
    assert changes is not None
    assert np.median(changes.size[:20][changes.found[:20]]) == pytest.approx(0.4, abs=0.1)


def test_a_short_series_is_told_apart_and_the_others_have_forecasts():
    value = walks(30, 10)
    value[4, 3:] = np.nan
    found = fitted(theta_panel(value), horizon=2)
    assert found.forecasts is not None
    assert found.forecasts.mean.shape == (30, 2)
    assert np.isfinite(found.forecasts.mean).all(axis=1).tolist() == [row != 4 for row in range(30)]
    assert found.why_not(4) == "too short: 3 of at least 4 weeks are known"
    assert found.why_not(5) == ""


def test_gaps_are_weeks_without_news_and_a_late_learner_begins_late():
    value = walks(300, 12)
    value[0, 3:9] = np.nan
    value[1, :7] = np.nan
    found = fitted(theta_panel(value))
    assert found.forecasts is not None
    assert found.weeks_known[:2].tolist() == [6, 5]
    assert found.forecasts.sd[1, 0] > np.median(found.forecasts.sd[2:, 0])


@pytest.mark.parametrize(
    ("panel", "reason"),
    [
        (theta_panel(np.full((3, 6), np.nan)), "none of 3 series has at least 4 known weeks"),
        (theta_panel(np.empty((0, 6))), "none of 0 series has at least 4 known weeks"),
        (theta_panel(np.ones((3, 6)), left_out=(1, 2, 3)), "none of 3 series has at least 4 known weeks"),
        (
            Panel(Metric.ACTIVITY, np.zeros((5, 8)), np.ones((5, 8)), np.zeros(8, bool)),
            "all values before the newest week are 0",
        ),
        (theta_panel(np.full((3, 6), 0.25)), "all values before the newest week are 0.25"),
    ],
)
def test_what_carries_no_forecast_says_why(panel: Panel, reason: str):
    found = forecast_panel(panel)
    assert not found.is_fitted
    assert found.forecasts is None
    np.testing.assert_array_equal(found.long_enough, False)
    assert found.reason == reason


def test_a_learner_alone_has_a_forecast_that_is_less_sure():
    value = walks(300, 6)
    alone, pooled = fitted(theta_panel(value[:1])), fitted(theta_panel(value))
    assert alone.forecasts is not None
    assert pooled.forecasts is not None
    assert np.isfinite(alone.forecasts.bounds).all()
    assert alone.dof < pooled.dof


@pytest.mark.parametrize(
    ("panel", "options", "message"),
    [
        (theta_panel(np.ones((2, 3))), {}, "3 weeks of theta; give 4 to 104"),
        (theta_panel(np.ones((2, 105))), {}, "105 weeks of theta"),
        (theta_panel(np.ones((2, 6))), {"horizon": 5}, "5 weeks ahead; give 1 to 4"),
        (Panel(Metric.THETA, np.ones((2, 6)), np.ones((2, 5)), np.zeros(6, bool)), {}, r"sizes \(2, 5\)"),
    ],
)
def test_a_panel_that_is_none_is_refused(panel: Panel, options: dict[str, int], message: str):
    with pytest.raises(InputError, match=message):
        forecast_panel(panel, **options)
