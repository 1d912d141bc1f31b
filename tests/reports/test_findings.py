"""What may be said of a number with its error, and how often it is said where nothing is there."""

from collections import Counter
from datetime import date

import numpy as np
import pytest

from thetaline.reports.class_findings import mean_and_spread, next_step, pooled_accuracy
from thetaline.reports.class_value import NextStep
from thetaline.reports.effort import effort_matters, rapid_thresholds
from thetaline.reports.findings import clear_change, goal_verdict, headline_change, topic_verdict
from thetaline.reports.percentile import Group, told
from thetaline.reports.value import Absent, Change, Estimate, GoalOutlook, GoalVerdict, Interval, TopicVerdict

MONDAY = date(2025, 10, 27)


@pytest.mark.parametrize(
    ("value", "n_weeks", "change"),
    [
        (0.197, 3, Change.UP),
        (-0.197, 3, Change.DOWN),
        (0.195, 12, Change.NO_CLEAR_CHANGE),
        (9.0, 2, Change.UNKNOWN),
    ],
)
def test_a_change_is_clear_beyond_its_95_percent_interval_and_from_three_weeks_on(
    value: float, n_weeks: int, change: Change
) -> None:
    assert clear_change(Estimate(value, 0.1), n_weeks) is change


def test_no_estimate_is_no_change_that_anybody_knows() -> None:
    assert clear_change(None, 12) is Change.UNKNOWN


@pytest.mark.parametrize(
    ("own", "told_as"),
    [(0.17, Change.UP), (0.16, Change.NO_CLEAR_CHANGE), (-0.3, Change.NO_CLEAR_CHANGE), (None, Change.NO_CLEAR_CHANGE)],
)
def test_a_line_that_only_the_cohort_lifts_is_no_headline(own: float | None, told_as: Change) -> None:
    weeks = None if own is None else Estimate(own, 0.1)
    assert headline_change(Estimate(0.3, 0.05), weeks, 6, level_since=None) is told_as


def test_a_plateau_is_told_as_one() -> None:
    assert headline_change(Estimate(0.0, 0.05), Estimate(0.3, 0.1), 9, level_since=MONDAY) is Change.LEVEL
    assert headline_change(Estimate(0.0, 0.05), None, 2, level_since=MONDAY) is Change.UNKNOWN


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (Estimate(0.26, 0.2), TopicVerdict.STRONGER),
        (Estimate(-0.26, 0.2), TopicVerdict.WEAKER),
        (Estimate(0.25, 0.2), TopicVerdict.LIKE_THE_REST),
        (Estimate(0.0, 0.0), TopicVerdict.LIKE_THE_REST),
        (None, TopicVerdict.LIKE_THE_REST),
    ],
)
def test_a_topic_is_named_from_a_posterior_of_nine_tenths_on(
    difference: Estimate | None, verdict: TopicVerdict
) -> None:
    assert topic_verdict(difference) is verdict


@pytest.mark.parametrize(
    ("theta", "verdict"),
    [
        (0.40, GoalVerdict.MET),
        (0.38, GoalVerdict.MET_WITHIN_ERROR),
        (0.0, GoalVerdict.MET_WITHIN_ERROR),
        (-0.38, GoalVerdict.NOT_MET_WITHIN_ERROR),
        (-0.40, GoalVerdict.NOT_MET),
    ],
)
def test_a_goal_is_met_or_not_beyond_the_interval_of_theta_else_within_error(
    theta: float, verdict: GoalVerdict
) -> None:
    assert goal_verdict(Estimate(theta, 0.2), 0.0) is verdict


def test_a_rapid_answer_takes_less_than_a_tenth_of_the_usual_time_and_never_counts_beyond_ten_seconds() -> None:
    found = rapid_thresholds(np.array([20_000.0, 200_000.0, 20_000.0]), np.array([20, 99, 19]))
    np.testing.assert_array_equal(found, [2_000.0, 10_000.0, np.nan])


def test_effort_matters_from_half_a_standard_error_on() -> None:
    assert effort_matters(Estimate(0.0, 0.4), Estimate(0.21, 0.5))
    assert not effort_matters(Estimate(0.0, 0.4), Estimate(0.19, 0.5))
    assert not effort_matters(None, Estimate(1.0, 0.1))


def test_the_expected_share_below_is_that_of_draws_and_its_interval_holds_them() -> None:
    rng = np.random.default_rng(1)
    theta, se = rng.normal(0, 1, 30), rng.uniform(0.2, 0.5, 30)
    value, low, high = Group.of(theta, se).percentiles(np.array([0.4]), np.array([0.3]))[:, 0]
    mine, others = rng.normal(0.4, 0.3, (100_000, 1)), rng.normal(theta, se, (100_000, 30))
    share = 100 * (others < mine).mean(axis=1)
    assert value == pytest.approx(share.mean(), abs=0.3)
    assert np.mean((share >= low - 1.7) & (share <= high + 1.7)) == pytest.approx(0.95, abs=0.02)


def test_a_learner_known_exactly_has_the_uncertainty_of_the_group() -> None:
    rng = np.random.default_rng(4)
    theta, se = rng.normal(0, 1, 30), rng.uniform(0.3, 0.6, 30)
    _, low, high = Group.of(theta, se).percentiles(np.array([0.0]), np.array([1e-3]))[:, 0]
    share = 100 * (rng.normal(theta, se, (100_000, 30)) < 0.0).mean(axis=1)
    assert np.std(share) == pytest.approx((high - low) / 2 / 1.96, rel=0.05)


def test_a_percentile_wider_than_forty_points_is_not_told() -> None:
    assert told(50.0, 30.0, 70.0) == Interval(50.0, 30.0, 70.0)
    assert told(50.0, 29.9, 70.0) is None


def outlook(verdict: GoalVerdict, probability: float | Absent) -> GoalOutlook:
    return GoalOutlook("algebra", 0.0, MONDAY, verdict, probability, None)


@pytest.mark.parametrize(
    ("change", "goals", "silent", "risk", "step"),
    [
        (Change.DOWN, [], True, None, NextStep.TALK),
        (Change.UP, [], False, 0.5, NextStep.TALK),
        (Change.DOWN, [], False, 0.4, NextStep.SUPPORT),
        (Change.UP, [(GoalVerdict.NOT_MET, 0.4)], False, None, NextStep.SUPPORT),
        (Change.UP, [(GoalVerdict.NOT_MET, 0.6)], False, None, NextStep.KEEP_GOING),
        (Change.UP, [(GoalVerdict.NOT_MET, Absent.NOT_FITTED)], False, None, NextStep.SUPPORT),
        (Change.UP, [(GoalVerdict.MET, 0.9)], False, None, NextStep.STRETCH),
        (Change.UP, [(GoalVerdict.MET, 0.9), (GoalVerdict.MET_WITHIN_ERROR, 0.9)], False, None, NextStep.KEEP_GOING),
        (Change.UP, [], False, None, NextStep.KEEP_GOING),
        (Change.NO_CLEAR_CHANGE, [], False, None, NextStep.MORE_ANSWERS),
    ],
)
def test_each_learner_has_the_first_step_that_holds(
    change: Change,
    goals: list[tuple[GoalVerdict, float | Absent]],
    silent: bool,
    risk: float | None,
    step: NextStep,
) -> None:
    assert next_step(change, [outlook(*goal) for goal in goals], silent=silent, risk=risk) is step


def test_a_class_of_four_has_no_mean() -> None:
    assert mean_and_spread(np.array([0.1, 0.2, 0.3, 0.4, np.nan]), np.full(5, 0.3)) is Absent.GROUP_TOO_SMALL


def test_answers_of_learners_who_differ_count_for_less_than_their_number() -> None:
    alike = pooled_accuracy(np.full(10, 5.0), np.full(10, 10.0))
    apart = pooled_accuracy(np.tile([0.0, 10.0], 5), np.full(10, 10.0))
    assert (alike.value, apart.value) == (0.5, 0.5)
    assert alike.high - alike.low == pytest.approx(0.19, abs=0.02)  # 100 answers
    assert apart.high - apart.low == pytest.approx(0.55, abs=0.05)  # 10 learners
    perfect = pooled_accuracy(np.full(10, 10.0), np.full(10, 10.0))
    assert perfect.high == 1.0
    assert perfect.low < 0.85


def test_nothing_is_said_of_most_learners_who_did_not_change() -> None:
    rng = np.random.default_rng(3)
    changes = Counter(clear_change(Estimate(float(z), 1.0), 5) for z in rng.normal(size=20_000))
    assert changes[Change.UP] + changes[Change.DOWN] == pytest.approx(0.05 * 20_000, rel=0.05)
