"""A growth fit recovers the law that made the answers, and says why where it cannot be made."""

import numpy as np
import pytest
from tests.learning.growth_cohorts import Cohort, cohort

from thetaline.errors import InputError
from thetaline.learning.growth import GrowthFit, GrowthSpec, GrowthStatus, fit_growth, goal_probability, predict

NOW = 11


@pytest.fixture(scope="module")
def school() -> Cohort:
    return cohort(250, 12, 10, seed=1)


@pytest.fixture(scope="module")
def fit(school: Cohort) -> GrowthFit:
    return fit_growth(school.answers, GrowthSpec(now_week=NOW, threads=1))


def test_effects_lie_within_their_standard_errors_of_the_law(fit: GrowthFit) -> None:
    assert fit.status is GrowthStatus.FITTED
    assert np.abs(fit.fixed.estimate - [0.1, 0.03]) == pytest.approx(0, abs=3 * fit.fixed.se.max())
    for name, truth in (("level_sd", 0.9), ("slope_sd", 0.05), ("topic_sd", 0.4)):
        assert abs(getattr(fit.spreads, name) - truth) < 3 * getattr(fit.spreads_se, name)


def test_intervals_of_learners_cover_their_true_level_and_slope(school: Cohort, fit: GrowthFit) -> None:
    lines = fit.lines()
    assert np.mean(np.abs(lines.level - school.level) < 1.96 * lines.sd_level) == pytest.approx(0.95, abs=0.04)
    # how much learners differ in slope is known to a quarter only, and all their intervals with it
    assert np.mean(np.abs(lines.slope - school.slope) < 1.96 * lines.sd_slope) == pytest.approx(0.95, abs=0.08)


def test_a_prediction_widens_with_the_weeks_and_stops_at_twice_the_span(fit: GrowthFit) -> None:
    ahead = predict(fit, np.zeros(4, int), NOW + np.array([0, 4, 22, 23]))
    assert (np.diff(ahead.sd[:3]) > 0).all()
    assert ahead.reason.tolist() == ["", "", "", "beyond twice the observed span"]
    assert np.isnan(ahead.mean[3])


def test_ever_reaching_a_goal_is_at_least_as_likely_as_being_there_at_the_date(fit: GrowthFit) -> None:
    goal = goal_probability(fit, 0.5, NOW + 6)
    assert (goal.ever_before >= goal.at_date).all()
    assert ((goal.at_date > 0) & (goal.ever_before < 1)).all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (lambda a: a.learner < 0, "there are no answers"),
        (lambda a: a.learner < 1, "1 of at least 5 learners"),
        (lambda a: a.week == NOW, "all answers are of 1 week"),
        (lambda a: a.category == 1, "answers are right"),
        (lambda a: a.category == 0, "answers are wrong"),
    ],
)
def test_data_without_a_line_give_a_value_with_the_reason(school: Cohort, rows, words: str) -> None:
    answers = school.answers
    none = fit_growth(answers.where(rows(answers)), GrowthSpec(now_week=NOW))
    assert none.status is GrowthStatus.NOT_FITTED
    assert words in none.reason
    with pytest.raises(InputError, match=words):
        predict(none, [0], NOW)
