"""The fit of the cohort's four parameters is the highest point of a stated posterior, over evenly thinned learners."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import betaln, logsumexp

from thetaline.learning.inactivity import FIT_LEARNERS, ActivityHistory, BgBbParameters, fit_bg_bb

Floats = NDArray[np.float64]


def histories(n: int, *, seed: int, longest: int = 20) -> ActivityHistory:
    """Learners with any history that can be: x active days, the last of them t, of n days."""
    rng = np.random.default_rng(seed)
    days = rng.integers(1, longest + 1, n)
    last = rng.integers(0, days + 1)
    active = np.minimum(last, 1 + rng.integers(0, 6, n))
    return ActivityHistory(active, last, days)


def some(past: ActivityHistory, chosen: slice) -> ActivityHistory:
    return ActivityHistory(past.active[chosen], past.last[chosen], past.days[chosen])


def log_numbers(parameters: BgBbParameters) -> Floats:
    return np.log([parameters.a, parameters.b, parameters.c, parameters.d])


def log_posterior(past: ActivityHistory, log_parameters: Floats) -> float:
    """Fader, Hardie & Shang (2010), equation 5; log parameters normal around those of (1, 3, 0.5, 15) with sd 1.5."""
    a, b, c, d = np.exp(log_parameters)
    total = -float(np.sum(np.square((log_parameters - np.log([1.0, 3.0, 0.5, 15.0])) / 1.5)) / 2)
    for x, t, n in zip(past.active, past.last, past.days, strict=True):
        alive = betaln(a + x, b + n - x) + betaln(c, d + n)
        gone = [betaln(a + x, b + i - x) + betaln(c + 1, d + i) for i in range(t, n)]
        total += float(logsumexp([alive, *gone]) - betaln(a, b) - betaln(c, d))
    return total


@pytest.mark.parametrize("n", [1, 3, 40])
def test_the_fit_is_the_highest_point_of_the_posterior(n: int) -> None:
    past = histories(n, seed=n)
    best = log_numbers(fit_bg_bb(past))
    step = 1e-3
    slope = [
        (log_posterior(past, best + way) - log_posterior(past, best - way)) / (2 * step) for way in np.eye(4) * step
    ]
    assert slope == pytest.approx(np.zeros(4), abs=2e-3 * n)


def test_a_learner_whose_first_day_is_today_tells_nothing() -> None:
    past = histories(30, seed=2)
    more = ActivityHistory(*(np.append(array, 0) for array in (past.active, past.last, past.days)))
    nobody = ActivityHistory(np.append(past.active, 0), np.append(past.last, 0), np.append(past.days, -1))
    assert fit_bg_bb(more) == fit_bg_bb(past) == fit_bg_bb(nobody)


def test_a_cohort_beyond_the_limit_is_thinned_to_every_kth_learner() -> None:
    past = histories(2 * FIT_LEARNERS + 1, seed=5)
    assert fit_bg_bb(past) == fit_bg_bb(some(past, slice(None, None, 3)))


def test_a_cohort_at_the_limit_is_not_thinned() -> None:
    past = histories(FIT_LEARNERS, seed=6)
    assert fit_bg_bb(past) != fit_bg_bb(some(past, slice(None, None, 2)))
