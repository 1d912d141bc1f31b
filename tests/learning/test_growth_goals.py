"""Predictions and goals follow from the line, the walk and the weeks; plateaus are told where there are some."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.learner_growth import goal_outcomes, largest_gap, plateau_school
from scipy.special import ndtr
from tests.learning.growth_cohorts import Cohort, cohort

from thetaline.errors import InputError
from thetaline.irt.threads import single_threaded_blas
from thetaline.learning.growth import (
    NO_WEEK,
    Covariates,
    GrowthAnswers,
    GrowthFit,
    GrowthSpec,
    GrowthStatus,
    LearnerLines,
    fit_growth,
    goal_probability,
    predict,
)
from thetaline.learning.growth.bend import Mixture, averaged_with, knots, share_of_plateaus
from thetaline.learning.growth.data_checks import diagnostics, prepared
from thetaline.learning.growth.maximum import LogPosterior, maximise
from thetaline.learning.growth.model import Spreads
from thetaline.learning.growth.result import FixedEffects


def known(walk_sd: float = 0.1, n_weeks: int = 9) -> GrowthFit:
    """Three learners with stated lines: one of `n_weeks`, one of one week, one without answers."""
    column = np.array
    lines = LearnerLines(
        level=column([0.2, 0.0, 0.0]),
        slope=column([0.05, 0.0, 0.0]),
        sd_level=column([0.3, 0.5, 1.0]),
        sd_slope=column([0.04, 0.05, 0.05]),
        correlation=column([0.5, 0.0, 0.0]),
        n_answers=column([90, 5, 0], np.int32),
        n_weeks=column([n_weeks, 1, 0], np.int32),
        first_week=column([100 - n_weeks + 1, 100, NO_WEEK], np.int32),
        last_week=column([100, 100, NO_WEEK], np.int32),
        bend_week=np.full(3, NO_WEEK, np.int32),
    )
    nothing = FixedEffects((), np.empty(0), np.empty(0))
    spreads = Spreads(1.0, 0.05, 0.0, 0.4, walk_sd)
    counts = diagnostics(cohort(5, 2, 1).answers)
    return GrowthFit(GrowthSpec(100), GrowthStatus.FITTED, "", (), nothing, spreads, spreads, 0.0, 1, counts, lines)


def test_a_prediction_adds_the_errors_of_level_slope_and_walk() -> None:
    ahead = predict(known(), [0], 104)
    assert ahead.mean == pytest.approx(0.2 + 4 * 0.05)
    assert ahead.sd**2 == pytest.approx(0.3**2 + 16 * 0.04**2 + 2 * 4 * 0.5 * 0.3 * 0.04 + 4 * 0.1**2)


def test_who_has_no_line_of_their_own_gets_a_reason_instead_of_a_number() -> None:
    goal = goal_probability(known(), 0.0, [117, 101, 101])
    assert goal.reason.tolist() == ["beyond twice the observed span", "answers in one week only", "no answers"]
    assert np.isnan(goal.at_date).all()
    assert np.isnan(goal.ever_before).all()
    assert goal_probability(known(), 0.0, 99, [0]).reason.tolist() == ["the target date is over"]


def test_the_goal_at_the_date_is_the_normal_tail() -> None:
    ahead, goal = predict(known(), [0], 106), goal_probability(known(), 0.7, 106, [0])
    assert goal.at_date == pytest.approx(ndtr((ahead.mean - 0.7) / ahead.sd))


@pytest.mark.parametrize("walk_sd", [0.0, 0.1])
def test_ever_reaching_a_goal_is_the_share_of_drawn_courses_that_touch_it(walk_sd: float) -> None:
    rng, n, fine = np.random.default_rng(2), 100_000, 60
    z = rng.standard_normal((n, 2))
    level, slope = 0.2 + 0.3 * z[:, 0], 0.05 + 0.04 * (0.5 * z[:, 0] + np.sqrt(0.75) * z[:, 1])
    theta, highest = level.copy(), level.copy()
    for _ in range(fine):
        theta += slope * 6 / fine + rng.normal(0, walk_sd * np.sqrt(6 / fine), n) if walk_sd else slope * 6 / fine
        np.maximum(highest, theta, out=highest)
    goal = goal_probability(known(walk_sd), 0.7, 106, [0])
    assert goal.ever_before == pytest.approx((highest >= 0.7).mean(), abs=0.012)  # steps miss some of the touches


def test_probabilities_of_goals_come_true_and_beat_the_nightly_formula() -> None:
    out = goal_outcomes(120, 10)
    assert largest_gap(out["at"], out["was"], 5) < 0.12
    brier = {name: np.mean(np.square(out[name] - out["was"])) for name in ("at", "today")}
    assert brier["at"] < brier["today"] - 0.005


def with_plateaus(school: Cohort) -> Mixture:
    """Lines at the maximum alone, which is quicker than over draws of the parameters."""
    spec = GrowthSpec(now_week=11)
    data = prepared(school.answers, spec)
    assert not isinstance(data, str)
    with single_threaded_blas():
        target = LogPosterior(data.cohort, spec)
        lines = target.lines(maximise(target, spec).phi, knots(data.cohort.from_now))
    return averaged_with(lines.mean, lines.covariance, lines.bends)


def test_a_plateau_is_told_where_there_is_one_and_hardly_ever_elsewhere() -> None:
    ended, going = (with_plateaus(plateau_school(150, share, 4, n_answers=20)) for share in (1.0, 0.0))
    assert ended.probability.mean() > 0.25
    assert going.probability.mean() < 0.05
    # slopes before the end are 0.1; that of now is 0 for the ones, 0.1 for the others
    assert np.abs(ended.mean[:, 1]).mean() < 0.06
    assert np.abs(going.mean[:, 1]).mean() > 0.09


def test_a_fit_names_the_week_in_which_lines_ended() -> None:
    found = fit_growth(plateau_school(40, 1.0, 4, n_answers=40).answers, GrowthSpec(now_week=11)).lines()
    assert found.bent.any()
    assert set(found.bend_week[found.bent]) <= {4, 6, 8}


def test_the_share_of_plateaus_follows_what_the_last_weeks_say() -> None:
    assert share_of_plateaus(np.zeros(500)) < 0.01
    assert share_of_plateaus(np.full(500, -1.0)) < 0.01
    assert share_of_plateaus(np.r_[np.full(250, 4.0), np.full(250, -4.0)]) == pytest.approx(0.5, abs=0.03)


def test_constant_covariates_are_dropped_by_name_and_others_found() -> None:
    made = cohort(60, 6, 6, seed=8)
    group = np.repeat([0.0, 1.0], 30)
    school = Covariates(np.stack([group, np.ones(60)], axis=1), ("group", "school"))
    fit = fit_growth(made.answers, GrowthSpec(now_week=5, level_covariates=school, threads=1, bend=False))
    assert fit.status is GrowthStatus.SIMPLIFIED
    assert fit.dropped == ("constant covariate level: school",)
    assert fit.fixed.names == ("intercept", "level: group", "slope")
    difference = made.level[30:].mean() - made.level[:30].mean()
    assert abs(fit.fixed.estimate[1] - difference) < 3 * fit.fixed.se[1]


def test_learners_of_one_week_each_have_levels_but_no_spread_of_slopes() -> None:
    made = cohort(60, 6, 6, seed=8).answers
    once = made.where(made.week == made.learner % 6)
    fit = fit_growth(once, GrowthSpec(now_week=5, threads=1))
    assert fit.dropped == ("slope variance", "process noise")
    assert (fit.lines().sd_slope < 0.2).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learner": [0, 9]}, "learner of answer 1 is 9; it must be 0 … 4"),
        ({"item": [0, 300]}, "item of answer 1 is 300"),
        ({"topic": [-2, 0]}, "topic of answer 0 is -2"),
        ({"category": [0, 2]}, "category of answer 1 is 2"),
        ({"week": [0]}, "week has the shape"),
    ],
)
def test_answers_that_do_not_fit_are_refused_with_their_row(change: dict[str, list[int]], words: str) -> None:
    two = cohort(5, 2, 1).answers.where(np.array([0, 1]))
    with pytest.raises(InputError, match=words):
        replace(two, **{name: np.array(values, getattr(two, name).dtype) for name, values in change.items()})


def test_an_answer_after_now_and_covariates_of_others_are_refused() -> None:
    answers: GrowthAnswers = cohort(5, 2, 1).answers
    with pytest.raises(InputError, match="after now_week 0"):
        fit_growth(answers, GrowthSpec(now_week=0))
    with pytest.raises(InputError, match="4 rows; 5 learners"):
        fit_growth(answers, GrowthSpec(now_week=1, level_covariates=Covariates(np.ones((4, 1)), ("x",))))
