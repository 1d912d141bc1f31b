"""Values with known errors together: slopes of weeks, shares, means and spreads of groups."""

import numpy as np
import pytest

from thetaline.learning.proportions import jeffreys_interval
from thetaline.learning.random_effects import random_effects, without_prior
from thetaline.learning.weekly_slope import own_slopes


def test_a_slope_of_weeks_is_weighted_least_squares_of_each_learner_alone() -> None:
    rng = np.random.default_rng(1)
    learner = np.repeat(np.arange(3, dtype=np.int32), [5, 1, 4])
    week = np.array([10, 11, 13, 14, 20, 12, 3, 5, 6, 9], np.int32)
    theta, se = rng.normal(size=10), rng.uniform(0.2, 0.6, 10)
    slope, slope_se = own_slopes(learner, week, theta, se, 3)
    for one in (0, 2):
        mine = learner == one
        design = np.column_stack([np.ones(mine.sum()), week[mine]]) / se[mine, None]
        solution = np.linalg.lstsq(design, theta[mine] / se[mine], rcond=None)[0]
        assert slope[one] == pytest.approx(solution[1])
        assert slope_se[one] == pytest.approx(np.sqrt(np.linalg.inv(design.T @ design)[1, 1]))
    assert np.isnan([slope[1], slope_se[1]]).all()


def test_nobody_has_a_slope_where_nobody_has_measures() -> None:
    nothing = np.empty(0)
    assert own_slopes(nothing.astype(np.int32), nothing.astype(np.int32), nothing, nothing, 0)[0].size == 0


def test_jeffreys_intervals_are_quantiles_of_a_beta_and_open_at_none_and_all() -> None:
    low, high = jeffreys_interval(np.array([0.0, 2.0, 7.0]), np.full(3, 7.0))
    draws = np.random.default_rng(1).beta(2.5, 5.5, 400_000)
    np.testing.assert_allclose((low[1], high[1]), np.quantile(draws, (0.025, 0.975)), atol=0.002)
    assert (low[0], high[2]) == (0.0, 1.0)
    assert high[0] == pytest.approx(1 - low[2])


def test_mean_and_spread_of_equal_errors_are_the_closed_form() -> None:
    values = np.random.default_rng(2).normal(1.0, 0.8, 25)
    found = random_effects(values, np.full(25, 0.3))
    assert found.mean == pytest.approx(values.mean())
    assert found.sd == pytest.approx(np.sqrt(values.var(ddof=1) - 0.09))
    assert found.mean_se == pytest.approx(values.std(ddof=1) / 5)
    assert found.sd_low < found.sd < found.sd_high


def test_a_group_within_its_errors_has_no_spread() -> None:
    found = random_effects(np.array([0.1, -0.1, 0.05, 0.0, -0.05]), np.full(5, 0.5))
    assert (found.sd, found.sd_low) == (0.0, 0.0)


def test_intervals_of_mean_and_spread_hold_the_truth_at_their_rate() -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(500):
        se = rng.uniform(0.2, 0.6, 25)
        found = random_effects(rng.normal(0.4, 0.7, 25) + rng.normal(0, se), se)
        held.append((abs(found.mean - 0.4) < 1.96 * found.mean_se, found.sd_low < 0.7 < found.sd_high))
    mean, spread = np.mean(held, axis=0)
    assert 0.91 < mean < 0.97
    assert 0.93 < spread < 0.97


def test_a_prior_is_taken_out_of_a_normal_posterior() -> None:
    x, se = np.array([0.7, -2.0]), np.array([0.4, 3.0])
    precision = 1 / se**2 + 1 / 0.9**2
    posterior = (x / se**2 + 0.2 / 0.9**2) / precision
    found = without_prior(posterior, precision**-0.5, 0.2, 0.9)
    np.testing.assert_allclose(found, [x, se])
    assert np.isnan(without_prior(np.array([0.0]), np.array([1.0]), 0.0, 0.9)).all()
