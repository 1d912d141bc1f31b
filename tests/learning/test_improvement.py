import numpy as np
import pytest
from cohorts import wle
from hypothesis import given, strategies as st
from scipy.stats import spearmanr

from thetaline.learning.improvement import (
    accuracy_change,
    content_difference,
    improvement_index,
    precision,
    reliable_change,
)

changes = st.floats(-8, 8)
errors = st.floats(0.02, 4)
counts = st.integers(0, 2000)


def index(change: float, se: float, n: int) -> float:
    return float(improvement_index(np.array([change]), np.array([se]), np.array([n]))[0])


def test_precision_halves_where_the_error_equals_the_spread_of_growth() -> None:
    assert precision(np.array([0.0, 0.5, 1.0])).tolist() == [1.0, 0.5, 0.2]


@given(errors, errors)
def test_precision_falls_with_the_error_and_never_saturates(one: float, other: float) -> None:
    low, high = sorted((one, other))
    of_low, of_high = precision(np.array([low, high]))
    assert 0 < of_high <= of_low < 1
    assert high - low < 1e-6 or of_high < of_low


def test_an_index_by_hand() -> None:
    # 0.8 · 15/30 · 1 / (1 + (0.5 / 0.5)²)
    assert index(0.8, 0.5, 15) == pytest.approx(0.2)
    assert index(-0.8, 0.5, 15) == pytest.approx(-0.2)
    assert index(9.0, 0.1, 60) == 1.0


def test_answers_beyond_thirty_add_no_weight() -> None:
    assert index(0.8, 0.5, 29) < index(0.8, 0.5, 30) == index(0.8, 0.5, 31) == index(0.8, 0.5, 300) == 0.4


@pytest.mark.parametrize(("n", "known"), [(4, False), (5, True)])
def test_five_answers_are_needed(n: int, known: bool) -> None:
    assert np.isnan(index(0.5, 0.5, n)) != known


@given(changes, errors, counts)
def test_the_index_stays_within_one_and_has_the_sign_of_the_change(change: float, se: float, n: int) -> None:
    value = index(change, se, n)
    if n < 5:
        assert np.isnan(value)
    else:
        assert -1 <= value <= 1
        assert value * change >= 0


@given(changes, changes, errors, st.integers(5, 2000))
def test_the_index_is_monotone_in_the_change(one: float, other: float, se: float, n: int) -> None:
    assert (index(one, se, n) - index(other, se, n)) * (one - other) >= 0


@given(changes, errors, st.integers(5, 2000))
def test_swapping_the_windows_turns_the_sign(change: float, se: float, n: int) -> None:
    assert index(-change, se, n) == -index(change, se, n)


def test_the_change_of_accuracy_by_hand() -> None:
    change, se = accuracy_change(*(np.array([value]) for value in (8.0, 10.0, 3.0, 6.0)))
    assert change[0] == pytest.approx(0.3)
    # Agresti-Caffo: shares 9/12 and 4/8
    assert se[0] == pytest.approx(np.sqrt(0.75 * 0.25 / 12 + 0.5 * 0.5 / 8))


def test_a_window_without_answers_has_no_change_of_accuracy() -> None:
    change, se = accuracy_change(*(np.array([value]) for value in (8.0, 10.0, 0.0, 0.0)))
    assert np.isnan(change[0])
    assert np.isnan(se[0])


@pytest.fixture(scope="module")
def grown() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True growth N(0, 0.5²) of 3,000 learners, with its estimate and error from 30 answers a window."""
    rng = np.random.default_rng(20251102)
    theta, growth = rng.normal(0, 1, 3000), rng.normal(0, 0.5, 3000)
    before, se_before = wle(theta, 30, rng)
    after, se_after = wle(theta + growth, 30, rng)
    return growth, after - before, np.hypot(se_before, se_after)


def test_the_index_ranks_growth_at_thirty_answers_a_window(grown: tuple[np.ndarray, ...]) -> None:
    growth, change, se = grown
    value = improvement_index(change, se, np.full(growth.size, 30))
    assert spearmanr(value, growth).statistic >= 0.6


def test_the_index_is_the_expected_growth(grown: tuple[np.ndarray, ...]) -> None:
    growth, change, se = grown
    slope, shift = np.polyfit(improvement_index(change, se, np.full(growth.size, 30)), growth, 1)
    assert slope == pytest.approx(1.0, abs=0.15)
    assert shift == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(("n_before", "n_after"), [(30, 30), (60, 20), (8, 30)])
def test_false_alarms_without_growth_are_at_most_at_the_stated_rate(n_before: int, n_after: int) -> None:
    rng = np.random.default_rng(n_before)
    theta = rng.normal(0, 1, 2500)
    (before, se_before), (after, se_after) = wle(theta, n_before, rng), wle(theta, n_after, rng)
    alarms = (reliable_change(after - before, np.hypot(se_before, se_after)) != 0).mean()
    assert 0.01 <= alarms <= 0.06
    assert abs(np.corrcoef(after - before, theta)[0, 1]) < 0.12  # a short window is not pulled to the mean


def test_a_reliable_change_goes_up_or_down_or_neither() -> None:
    change, se = np.array([1.0, -1.0, 0.9, np.nan]), np.array([0.5, 0.5, 0.5, 0.5])
    assert reliable_change(change, se).tolist() == [1, -1, 0, 0]
    assert reliable_change(change, se, level=0.10).tolist() == [1, -1, 1, 0]


def test_the_difference_of_content_by_hand() -> None:
    # learner 0: topics 1, 1, 2, none and then 2, 3; learner 1: the same mixture twice; learner 2: one window only
    learner = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2], np.int32)
    topic = np.array([1, 1, 2, 0, 2, 3, 4, 5, 4, 5, 1], np.int32)
    recent = np.array([0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1], bool)
    expected = [0.5**2 + (0.5 - 0.25) ** 2 + 0.5**2, 0.0, 0.0]
    np.testing.assert_allclose(content_difference(learner, topic, recent, 3), expected)


def windows_of_topics(
    growth: float, *, n_topics: int, shared: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Change, error of measurement and content difference: 30 answers a window, `shared` of its topics in both."""
    rng = np.random.default_rng(seed)
    n, theta = 1500, np.random.default_rng(seed + 1).normal(0, 1, 1500)
    topics = [np.arange(30) % n_topics + 1, np.arange(30) % n_topics + 1 + n_topics - shared]
    delta = rng.normal(0, 0.5, (n, 2 * n_topics + 1))
    (before, se_before), (after, se_after) = (
        wle(theta[:, None] + gain + delta[:, topic], 30, rng) for gain, topic in zip((0.0, growth), topics, strict=True)
    )
    learner = np.repeat(np.arange(n, dtype=np.int32), 60)
    recent = np.tile(np.repeat([False, True], 30), n)
    content = content_difference(learner, np.tile(np.concatenate(topics), n).astype(np.int32), recent, n)
    return after - before, np.hypot(se_before, se_after), content


@pytest.mark.parametrize(("n_topics", "shared"), [(1, 0), (2, 0), (3, 1)])
def test_a_change_of_topics_without_growth_raises_no_more_alarms_than_stated(n_topics: int, shared: int) -> None:
    change, se, content = windows_of_topics(0.0, n_topics=n_topics, shared=shared, seed=n_topics)
    without, with_content = (
        (reliable_change(change, error) != 0).mean() for error in (se, np.hypot(se, 0.5 * np.sqrt(content)))
    )
    assert with_content <= 0.07
    assert without > with_content


def test_growth_is_still_seen_where_topics_change_and_as_well_as_ever_where_they_stay() -> None:
    change, se, content = windows_of_topics(1.5, n_topics=3, shared=1, seed=9)
    assert (reliable_change(change, np.hypot(se, 0.5 * np.sqrt(content))) == 1).mean() > 0.45
    _, se, content = windows_of_topics(1.5, n_topics=3, shared=3, seed=9)
    assert content.max() < 1e-30
