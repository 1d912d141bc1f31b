"""The odds that an item's location has changed: size, power, and what carries no evidence."""

import numpy as np
import pytest

from thetaline import irt
from thetaline.errors import ItemsError
from thetaline.irt.change_points import change_points, power_of
from thetaline.irt.item_scores import Answers, item_scores

LOG_LIMIT = np.log(600.0)
N, T = 3000, 52
INFORMATION = 12.0  # a week; 51 in 30 days


def year(shift: np.ndarray, seed: int, *, reference: float = 1 / 51) -> tuple[np.ndarray, np.ndarray]:
    """Scores (N, T) and information of items whose location is −shift (T,) beyond the truth of their references."""
    rng = np.random.default_rng(seed)
    off = rng.normal(0, np.sqrt(reference), (N, 1))
    information = np.full((N, T), INFORMATION)
    return (shift + off) * information + rng.normal(0, np.sqrt(information)), information


def log_odds(score: np.ndarray, information: np.ndarray, reference: float = 1 / 51) -> np.ndarray:
    """(N, T) after each week."""
    variance = np.full(len(score), reference)
    looks = [change_points(score[:, :t], information[:, :t], variance).log_odds for t in range(1, score.shape[1] + 1)]
    return np.array(looks).T


def test_sound_items_are_called_changed_at_most_at_the_stated_rate_in_a_year_of_looks() -> None:
    assert np.mean(log_odds(*year(np.zeros(T), 1)).max(axis=1) > LOG_LIMIT) < 0.05


def test_a_sudden_change_is_seen_within_four_weeks_and_not_before() -> None:
    odds = log_odds(*year(np.where(np.arange(T) >= 30, 0.9, 0.0), 2))
    assert np.mean(odds[:, :30].max(axis=1) > LOG_LIMIT) < 0.03
    assert np.mean(odds[:, 30:34].max(axis=1) > LOG_LIMIT) > 0.9


def test_a_slow_leak_is_seen_after_it_has_reached_a_half() -> None:
    shift = np.clip((np.arange(T) - 20) / 20, 0, 1)  # 0.5 at week 30
    assert np.mean(log_odds(*year(shift, 3))[:, :36].max(axis=1) > LOG_LIMIT) > 0.8


def test_change_start_and_standard_error_are_told() -> None:
    found = change_points(*year(np.where(np.arange(T) >= 30, -0.9, 0.0), 4), np.full(N, 1 / 51))
    assert np.median(found.first) == 30
    assert np.mean(found.change) == pytest.approx(0.9, abs=0.05)  # harder: b went up
    right = found.first == 30
    assert np.std(found.change[right]) == pytest.approx(found.se[right][0], rel=0.2)


def test_a_reference_that_says_nothing_is_no_baseline() -> None:
    score, information = year(np.full(T, 3.0), 5)
    unknown = change_points(score[:500], information[:500], np.full(500, np.inf))
    known = change_points(score[:500], information[:500], np.full(500, 1 / 51))
    assert np.mean(unknown.log_odds > LOG_LIMIT) < 0.05
    assert np.all(known.log_odds > LOG_LIMIT)
    assert np.isnan(change_points(np.zeros((1, 1)), np.zeros((1, 1)), np.array([1.0])).log_odds[0])


def test_power_is_the_share_that_one_comparison_finds() -> None:
    variance = 1 / 51 + 1 / 60
    draws = np.random.default_rng(6).normal(0.9, np.sqrt(variance), 20_000)
    weight = variance + 1.0
    odds = 0.5 * (np.log(variance / weight) + draws**2 / variance / weight)
    assert power_of(0.9, np.array([variance]), LOG_LIMIT)[0] == pytest.approx(np.mean(odds > LOG_LIMIT), abs=0.01)


def test_scores_have_mean_0_and_their_information_for_variance_and_leave_the_item_out() -> None:
    rng = np.random.default_rng(7)
    n_items, n_persons = 40, 6000
    items = irt.Items(ids=range(n_items), model="2PL", a=rng.lognormal(0.1, 0.3, n_items), b=rng.normal(0, 1, n_items))
    theta = rng.normal(0.5, 0.8, n_persons)
    person, item = (part.ravel().astype(np.int32) for part in np.indices((n_persons, n_items)))
    counted = rng.random(person.size) < 0.5
    p = 1 / (1 + np.exp(-items.a[item] * (theta[person] - items.b[item] + 0.5 * (item == 3))))
    found = item_scores(items, Answers(person, item, rng.random(item.size) < p), counted)
    z = found.score / np.sqrt(found.information)
    sound = np.arange(n_items) != 3
    assert np.std(z[sound]) == pytest.approx(1.0, abs=0.3)
    assert abs(np.mean(z[sound])) < 0.6
    assert found.score[3] / found.information[3] == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(found.n_answers, np.bincount(item[counted], minlength=n_items))


def test_items_of_more_categories_have_no_such_score() -> None:
    items = irt.Items(ids=["q"], model="GRM", a=[1.0], b=[[-1.0, 1.0]])
    one = np.zeros(1, np.int32)
    with pytest.raises(ItemsError, match="only right and wrong answers"):
        item_scores(items, Answers(one, one, np.ones(1, bool)), np.ones(1, bool))
