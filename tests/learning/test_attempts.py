"""What is counted over a cohort's attempts, against plain loops."""

import numpy as np
import pytest
from cohorts import attempts
from hypothesis import given, strategies as st

from thetaline.learning.attempts import first_per_pair, last_per_pair, median_per_group, pair_key, share

codes = st.integers(-(2**31), 2**31 - 1)
learners = st.integers(0, 3)
pairs = st.lists(st.tuples(learners, st.one_of(st.integers(-2, 2), codes)), max_size=30)


def columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    left, right = np.array(rows, np.int32).reshape(-1, 2).T
    return left, right


@given(pairs)
def test_two_rows_have_one_key_only_if_they_are_one_pair(rows: list[tuple[int, int]]) -> None:
    keys = pair_key(*columns(rows)).tolist()
    assert len(set(keys)) == len(set(rows))


@given(pairs)
def test_the_first_and_the_last_row_of_each_pair_are_kept_in_order(rows: list[tuple[int, int]]) -> None:
    places = range(len(rows))
    assert first_per_pair(*columns(rows)).tolist() == [i for i in places if rows[i] not in rows[:i]]
    assert last_per_pair(*columns(rows)).tolist() == [i for i in places if rows[i] not in rows[i + 1 :]]


@given(st.lists(st.tuples(learners, st.integers(0, 50)), max_size=30))
def test_the_median_of_a_group_is_that_of_its_values_alone(rows: list[tuple[int, int]]) -> None:
    group, value = columns(rows)
    expected = [np.median(value[group == each]) if (group == each).any() else np.nan for each in range(5)]
    assert median_per_group(value, group, 5) == pytest.approx(expected, nan_ok=True)


def test_a_share_of_nothing_is_unknown() -> None:
    assert share(np.array([1.0, 0.0, 0.0]), np.array([2.0, 4.0, 0.0])) == pytest.approx([0.5, 0, np.nan], nan_ok=True)


def test_attempts_are_counted_and_summed_by_learner() -> None:
    rows = [
        {"learner": learner, "day": day, "correct": correct}
        for learner, day, correct in [(0, 1, 1), (2, 1, -1), (2, 2, 1)]
    ]
    made = attempts(rows, 4)
    assert made.per_learner().tolist() == [1, 0, 2, 0]
    assert made.per_learner(np.array([0.5, 2.0, 3.0])).tolist() == [0.5, 0, 5, 0]
    assert made.answered().per_learner().tolist() == [1, 0, 1, 0]
