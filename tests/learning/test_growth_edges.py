"""Growth lines of answers and goals that are out of the ordinary: a reason or an error, never a wrong number."""

from dataclasses import replace

import numpy as np
import pytest
from tests.learning.growth_cohorts import Law, bank, cohort

from thetaline.errors import InputError
from thetaline.learning.growth import Covariates, GrowthFit, GrowthSpec, fit_growth, goal_probability, predict
from thetaline.learning.growth.data_checks import prepared
from thetaline.learning.growth.propagation import narrowest

NOW = 5


@pytest.fixture(scope="module")
def fit() -> GrowthFit:
    """Twenty learners over six weeks, the first of whom answered in the first two only."""
    answers = cohort(20, 6, 5).answers
    answers = answers.where((answers.learner > 0) | (answers.week < 2))
    return fit_growth(answers, GrowthSpec(now_week=NOW, threads=1, bend=False))


def test_a_line_reaches_twice_its_span_beyond_the_last_answer_not_beyond_now(fit: GrowthFit) -> None:
    assert fit.lines().last_week[:2].tolist() == [1, NOW]
    for reason in (goal_probability(fit, 0.0, NOW + 1, [0, 1]).reason, predict(fit, [0, 1], NOW + 1).reason):
        assert reason.tolist() == ["beyond twice the observed span", ""]
    assert predict(fit, [0], NOW).reason.tolist() == [""]


@pytest.mark.parametrize("target", [np.nan, np.inf, -np.inf])
def test_a_target_that_is_no_number_has_a_reason_and_no_probability(fit: GrowthFit, target: float) -> None:
    found = goal_probability(fit, [target, 0.0], NOW + 1, [1, 2])
    assert found.reason.tolist() == ["the target is no number", ""]
    assert np.isnan([found.at_date[0], found.ever_before[0]]).all()
    assert np.isfinite([found.at_date[1], found.ever_before[1]]).all()


def test_a_week_that_is_no_number_is_refused(fit: GrowthFit) -> None:
    with pytest.raises(InputError, match="a week to predict is no number"):
        predict(fit, [1], np.nan)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("category", np.int64(-1), "category of answer 0 is -1"),
        ("category", np.nan, "category is of type float64; codes and weeks are whole numbers"),
        ("week", 0.5, "week is of type float64"),
    ],
)
def test_codes_that_are_no_codes_are_refused(name: str, value: float, told: str) -> None:
    answers = cohort(5, 2, 1).answers
    with pytest.raises(InputError, match=told):
        replace(answers, **{name: np.full(answers.n_answers, value)})


def test_a_covariate_far_from_0_has_the_effect_that_it_has_near_0() -> None:
    answers, year = cohort(40, 3, 8, law=Law(level_sd=0.3)).answers, np.arange(40.0) % 2
    effects = []
    for start in (0.0, 2025.0):
        given = Covariates((start + year)[:, None], ("year",))
        spec = GrowthSpec(now_week=2, level_covariates=given, threads=1, bend=False)
        effects.append(fit_growth(answers, spec).fixed.estimate)
    assert effects[1] == pytest.approx(effects[0], abs=1e-6)
    assert abs(effects[0][1]) > 0.01


def test_answers_that_contradict_the_prior_leave_one_effective_draw_which_the_job_does_not_publish() -> None:
    rng, n, items = np.random.default_rng(1), 20, bank(100, np.random.default_rng(1))
    once = cohort(n, 6, 5, n_items=100).answers
    names = ("learner", "item", "week", "topic")
    many = {name: np.tile(getattr(once, name), 40) for name in names}
    right = np.tile(rng.random(once.n_answers) < 0.5, 40)
    found = fit_growth(replace(once, **many, category=right.astype(np.uint8), bank=items), GrowthSpec(NOW, threads=1))
    assert found.diagnostics.effective_draws < 10


def test_a_class_of_learners_who_are_much_alike_has_lines() -> None:
    alike = Law(level=0.5, level_sd=0.1, slope_sd=0.01, topic_sd=0.0, walk_sd=0.0)
    for seed in range(3):
        answers = cohort(12, 6, 6, law=alike, n_topics=1, seed=seed).answers
        found = fit_growth(answers, GrowthSpec(now_week=NOW, threads=1, bend=False))
        assert found.diagnostics.effective_draws > 10
        assert np.isfinite([found.lines().level, found.lines().sd_slope]).all()


def test_the_grid_is_finer_than_what_prior_and_answers_leave_of_a_cell() -> None:
    answers = cohort(12, 6, 6, n_topics=1).answers
    data = prepared(answers, GrowthSpec(now_week=NOW))
    assert not isinstance(data, str)
    (cells,) = data.cohort.blocks()
    wide, tight = (narrowest(cells, 0.0, variance) for variance in (1e6, 0.01))
    assert wide == pytest.approx(cells.information**-0.5, rel=1e-4)
    assert tight == pytest.approx((cells.information + 100) ** -0.5)
