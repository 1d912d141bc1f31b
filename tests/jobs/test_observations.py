import numpy as np
import pytest

from thetaline.jobs.calibration.observations import first_answers, newest


def first_of(rows: list[tuple[int, int, str, int, bool]]) -> tuple[list[tuple[int, int, str, int, bool]], int, int]:
    learner, item, at, ordinal, correct = (list(column) for column in zip(*rows, strict=True))
    found = first_answers(
        np.array(learner, dtype=np.int32),
        np.array(item, dtype=np.int32),
        answered_at=np.array(at, dtype="datetime64[us]"),
        ordinal=np.array(ordinal, dtype=np.int32),
        correct=np.array(correct, dtype=bool),
    )
    return [rows[i] for i in found.rows], found.n_repeats, found.n_contradictory


def test_the_first_answer_counts_however_the_rows_are_ordered() -> None:
    rows = [
        (1, 7, "2025-11-02", 1, True),
        (1, 7, "2025-11-01", 9, False),
        (2, 7, "2025-11-03", 1, True),
        (1, 8, "2025-11-05", 1, True),
        (1, 7, "2025-11-04", 1, True),
    ]
    rng = np.random.default_rng(3)
    for _ in range(10):
        shuffled = [rows[i] for i in rng.permutation(len(rows))]
        assert first_of(shuffled) == ([rows[1], rows[3], rows[2]], 2, 0)


def test_of_one_instant_the_place_in_the_exam_decides_and_a_contradiction_is_counted() -> None:
    rows = [(1, 7, "2025-11-01", 2, False), (1, 7, "2025-11-01", 1, True), (1, 7, "2025-11-01", 3, False)]
    assert first_of(rows) == ([rows[1]], 2, 1)


def test_of_one_instant_and_place_wrong_comes_before_right() -> None:
    rows = [(1, 7, "2025-11-01", 1, True), (1, 7, "2025-11-01", 1, False)]
    assert first_of(rows) == ([rows[1]], 1, 1)
    assert first_of(rows[::-1]) == ([rows[1]], 1, 1)


def test_the_same_answer_twice_at_one_instant_is_a_repeat_and_no_contradiction() -> None:
    rows = [(1, 7, "2025-11-01", 1, True), (1, 7, "2025-11-01", 2, True), (1, 7, "2025-11-02", 1, False)]
    assert first_of(rows) == ([rows[0]], 2, 0)


def test_large_surrogate_keys_stay_apart() -> None:
    top = 2**31 - 1
    pairs = [(top, top), (top, top - 1), (top - 1, top)]
    rows = [(learner, item, "2025-11-01", 1, True) for learner, item in pairs]
    assert sorted(first_of(rows)[0]) == sorted(rows)


def test_no_answers_are_no_answers() -> None:
    nothing = np.array([], dtype=np.int32)
    at = np.array([], dtype="datetime64[us]")
    found = first_answers(nothing, nothing, answered_at=at, ordinal=nothing, correct=np.array([], dtype=bool))
    assert (found.rows.size, found.n_repeats, found.n_contradictory) == (0, 0, 0)


@pytest.mark.parametrize(("most", "expected"), [(0, [0, 1, 2, 3]), (4, [0, 1, 2, 3]), (2, [0, 3]), (1, [3])])
def test_a_limit_keeps_the_newest_in_their_order(most: int, expected: list[int]) -> None:
    at = np.array(["2025-11-04", "2025-11-01", "2025-11-02", "2025-11-04"], dtype="datetime64[us]")
    assert newest(at, most).tolist() == expected
