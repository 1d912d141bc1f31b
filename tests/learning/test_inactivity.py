import numpy as np
import pytest
from cohorts import TODAY, attempts
from scipy.special import beta

from thetaline.learning.inactivity import (
    PRIOR_MODE,
    ActivityHistory,
    BgBbParameters,
    activity_history,
    fit_bg_bb,
    inactivity_probability,
)
from thetaline.learning.windows import day_number, last_days

NOW = day_number(TODAY)


def lived(active: int, last: int, days: int) -> ActivityHistory:
    return ActivityHistory(*(np.array([value], np.int64) for value in (active, last, days)))


def likelihood(x: int, t: int, n: int, h: BgBbParameters) -> float:
    """Fader, Hardie & Shang (2010), equation 5, term by term."""
    alive = beta(h.a + x, h.b + n - x) / beta(h.a, h.b) * beta(h.c, h.d + n) / beta(h.c, h.d)
    gone = sum(
        beta(h.a + x, h.b + t - x + i) / beta(h.a, h.b) * beta(h.c + 1, h.d + t + i) / beta(h.c, h.d)
        for i in range(n - t)
    )
    return float(alive + gone)


@pytest.mark.parametrize(("x", "t", "n"), [(0, 0, 0), (0, 0, 20), (5, 12, 30), (30, 30, 30), (1, 55, 55)])
def test_inactivity_is_the_ratio_of_the_two_likelihoods(x: int, t: int, n: int) -> None:
    parameters = BgBbParameters(1.2, 2.5, 0.7, 16.0)
    expected = likelihood(x, t, n + 14, parameters) / likelihood(x, t, n, parameters)
    assert inactivity_probability(lived(x, t, n), parameters)[0] == pytest.approx(expected, rel=1e-10)


def test_the_longer_the_silence_the_likelier_it_goes_on() -> None:
    quiet = [inactivity_probability(lived(10, 12, 12 + silence), PRIOR_MODE)[0] for silence in range(0, 40, 4)]
    assert np.all(np.diff(quiet) > 0)


def test_the_more_active_the_less_likely_inactivity_is_for_those_seen_today() -> None:
    values = [inactivity_probability(lived(active, 42, 42), PRIOR_MODE)[0] for active in range(1, 43, 3)]
    assert np.all(np.diff(values) < 0)


def test_the_same_silence_says_more_of_a_learner_who_came_daily() -> None:
    rare, daily = (inactivity_probability(lived(active, 42, 49), PRIOR_MODE)[0] for active in (20, 42))
    assert daily > rare


def test_inactivity_is_never_certain() -> None:
    silent, daily = lived(0, 0, 89), lived(89, 89, 89)
    assert inactivity_probability(silent, PRIOR_MODE)[0] < 1
    assert inactivity_probability(daily, PRIOR_MODE)[0] > 0


def test_a_learner_without_history_has_no_probability() -> None:
    assert np.isnan(inactivity_probability(lived(0, 0, -1), PRIOR_MODE)).all()


def test_learners_who_differ_in_one_number_of_their_history_do_not_share_a_probability() -> None:
    active, last, days = (np.array(column, np.int64) for column in ((3, 4, 3, 3), (9, 9, 8, 9), (12, 12, 12, 13)))
    together = inactivity_probability(ActivityHistory(active, last, days), PRIOR_MODE)
    alone = [inactivity_probability(lived(*each), PRIOR_MODE)[0] for each in zip(active, last, days, strict=True)]
    assert together == pytest.approx(alone, rel=1e-12)
    assert len(set(alone)) == 4


def test_history_counts_active_days_after_the_first() -> None:
    rows = [{"learner": 0, "day": NOW - day} for day in (90, 20, 20, 11, 3)] + [{"learner": 2, "day": NOW}]
    past = activity_history(attempts(rows, 3), last_days(TODAY, 28))
    assert past.active.tolist() == [2, 0, 0]
    assert past.last[[0, 2]].tolist() == [17, 0]
    assert past.days.tolist() == [20, -1, 0]


def test_the_fit_recovers_the_cohort_and_its_probabilities_come_true() -> None:
    rng = np.random.default_rng(3)
    n = 6000
    show, leave, days = rng.beta(1.2, 2.5, n), rng.beta(0.6, 12, n), rng.integers(0, 56, n)
    here, seen_later = np.ones(n, bool), np.zeros(n, bool)
    active, last = np.zeros((2, n), np.int64)
    for day in range(1, 70):
        here &= rng.random(n) > leave
        on = here & (rng.random(n) < show)
        within = on & (day <= days)
        active, last = active + within, np.where(within, day, last)
        seen_later |= on & (day > days) & (day <= days + 14)
    past = ActivityHistory(active, last, days)
    parameters = fit_bg_bb(past)
    assert parameters.a / (parameters.a + parameters.b) == pytest.approx(1.2 / 3.7, abs=0.03)
    assert parameters.c / (parameters.c + parameters.d) == pytest.approx(0.6 / 12.6, abs=0.015)
    said = inactivity_probability(past, parameters)
    for low, high in ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0)):
        these = (said >= low) & (said < high)
        assert said[these].mean() == pytest.approx((~seen_later[these]).mean(), abs=0.05)


def test_a_cohort_without_a_day_of_history_keeps_the_stated_start() -> None:
    parameters = fit_bg_bb(lived(0, 0, 0))
    assert (parameters.a, parameters.b, parameters.c, parameters.d) == pytest.approx(
        (PRIOR_MODE.a, PRIOR_MODE.b, PRIOR_MODE.c, PRIOR_MODE.d)
    )
