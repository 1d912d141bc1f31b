"""Efficiency, recovery, engagement and goals: small cohorts by hand."""

import numpy as np
import pytest
from cohorts import TODAY, attempts
from scipy.special import ndtr

from thetaline.learning.attempts import first_per_pair
from thetaline.learning.kpis import (
    EngagementParts,
    efficiency,
    engagement,
    engagement_parts,
    error_recovery,
    goal_probability,
    joint_goal,
)
from thetaline.learning.windows import day_number, last_days

NOW = day_number(TODAY)
MONTH = last_days(TODAY, 28)


def timed(learner: int, day: int, *times: int, correct: int = 1) -> list[dict[str, int]]:
    return [{"learner": learner, "day": day, "time_ms": time, "correct": correct} for time in times]


def test_efficiency_is_the_relative_fall_of_the_median_time_of_right_answers() -> None:
    rows = timed(0, NOW - 28, 10_000, 20_000, 90_000) + timed(0, NOW - 27, 14_000, 16_000)
    rows += timed(0, NOW, 1, 2, 3, correct=0) + timed(0, NOW, -1)  # wrong, or without a time: neither counts
    assert efficiency(attempts(rows, 1), MONTH).tolist() == [0.25]


def test_efficiency_is_negative_when_slower_and_unknown_without_both_windows() -> None:
    rows = timed(0, NOW - 40, 10_000) + timed(0, NOW, 15_000) + timed(1, NOW, 10_000) + timed(2, NOW - 60, 10_000)
    assert efficiency(attempts(rows, 3), MONTH) == pytest.approx([-0.5, np.nan, np.nan], nan_ok=True)


def test_a_time_of_zero_is_known() -> None:
    rows = timed(0, NOW - 30, 10_000) + timed(0, NOW, 0, 0, 5_000)
    assert efficiency(attempts(rows, 1), MONTH).tolist() == [1.0]


def answered(learner: int, item: int, day: int, correct: int) -> dict[str, int]:
    return {"learner": learner, "item": item, "day": day, "correct": correct}


def test_recovery_is_the_share_right_now_of_items_missed_before() -> None:
    rows = [answered(0, item, NOW - 30, 0) for item in (1, 2, 3, 4)]
    rows += [answered(0, 1, NOW - 5, 1), answered(0, 2, NOW - 5, 0), answered(0, 2, NOW - 4, 1)]
    rows += [answered(0, 3, NOW - 5, 0), answered(0, 9, NOW, 1)]  # 4 was not tried again, 9 not missed
    assert error_recovery(attempts(rows, 1), MONTH) == pytest.approx([2 / 3])


def test_an_item_set_right_before_the_recent_window_is_not_missed() -> None:
    rows = [answered(0, 1, NOW - 40, 0), answered(0, 1, NOW - 39, 1), answered(0, 1, NOW, 1)]
    assert np.isnan(error_recovery(attempts(rows, 1), MONTH)).all()


def test_an_unanswered_question_neither_misses_nor_recovers() -> None:
    rows = [
        answered(0, 1, NOW - 40, 0),
        answered(0, 1, NOW - 39, -1),
        answered(0, 1, NOW - 2, 1),
        answered(0, 1, NOW, -1),
    ]
    assert error_recovery(attempts(rows, 1), MONTH).tolist() == [1.0]


def test_engagement_weighs_its_parts() -> None:
    ones, zeros = np.ones(4), np.zeros(4)
    parts = np.eye(4)
    assert engagement(EngagementParts(*parts)) == pytest.approx([0.35, 0.25, 0.20, 0.20])
    assert engagement(EngagementParts(ones, ones, ones, ones)) == pytest.approx(ones)
    assert engagement(EngagementParts(zeros, zeros, zeros, zeros)) == pytest.approx(zeros)


def test_an_unknown_part_drops_out_and_the_rest_is_weighed_anew() -> None:
    nan = np.array([np.nan])
    half, one = np.array([0.5]), np.array([1.0])
    assert engagement(EngagementParts(half, one, nan, nan)) == pytest.approx([(0.35 * 0.5 + 0.25) / 0.60])
    assert np.isnan(engagement(EngagementParts(nan, nan, nan, nan))).all()


def test_the_parts_of_engagement_by_hand() -> None:
    rows = [
        {"learner": 0, "day": NOW - 20, "session": 1, "hint": 1, "time_ms": 2_999},
        {"learner": 0, "day": NOW - 20, "session": 2, "hint": 0, "time_ms": 3_000},
        {"learner": 0, "day": NOW - 6, "session": 3},
        {"learner": 1, "day": NOW - 28, "session": 4, "hint": 0, "time_ms": 9_000},
    ]
    parts = engagement_parts(attempts(rows, 2), MONTH)
    assert parts.sessions == pytest.approx([3 / 12, 0.0])
    assert parts.gaps == pytest.approx([1 - 13 / 28, 0.0])
    assert parts.hints == pytest.approx([1 / 2, np.nan], nan_ok=True)
    assert parts.dwell == pytest.approx([1 / 2, np.nan], nan_ok=True)


def test_goal_probability_is_the_upper_tail_of_the_posterior() -> None:
    value = goal_probability(np.array([0.5, 0.0, np.nan]), np.array([0.4, 0.4, 0.4]), np.array([0.1, 0.0, 0.0]))
    assert value == pytest.approx([float(ndtr(1.0)), 0.5, np.nan], nan_ok=True)


def test_several_goals_count_by_priority_and_an_unknown_one_drops_out() -> None:
    value = joint_goal(np.array([0.2, 0.8, 0.9, np.nan]), np.array([1.0, 3.0, 1.0, 1.0]), np.array([0, 0, 1, 2]), 4)
    assert value == pytest.approx([0.65, 0.9, np.nan, np.nan], nan_ok=True)


def test_the_order_of_rows_of_an_instant_and_of_learners_does_not_matter() -> None:
    rng = np.random.default_rng(7)
    rows = [
        {
            "learner": int(rng.integers(6)),
            "day": NOW - int(rng.integers(56)),
            "item": item,
            "correct": int(rng.integers(2)),
            "time_ms": int(rng.integers(1000, 9000)),
            "hint": int(rng.integers(2)),
        }
        for item in range(400)
    ]
    one = attempts(rows, 6)
    other = attempts([dict(rows[place], learner=5 - rows[place]["learner"]) for place in rng.permutation(400)], 6)
    assert efficiency(one, MONTH) == pytest.approx(efficiency(other, MONTH)[::-1], nan_ok=True)
    assert error_recovery(one, MONTH) == pytest.approx(error_recovery(other, MONTH)[::-1], nan_ok=True)
    ours, theirs = (engagement(engagement_parts(value, MONTH)) for value in (one, other))
    assert ours == pytest.approx(theirs[::-1])


def test_a_pair_with_a_negative_code_stays_with_its_own_learner() -> None:
    """Half of all session codes are negative."""
    learner, session = np.array([0, 0, 1, 1], np.int32), np.array([-7, -7, -7, 5], np.int32)
    assert first_per_pair(learner, session).tolist() == [0, 2, 3]
