"""What tells a spoiled night from a sound one, on values; the benchmark of the gate's power has the rates."""

import numpy as np
import pytest
from benchmarks.gate_power import SPOILS, replicate

from thetaline.jobs.calibration.engine import AbilityEstimates, ItemEstimates
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.calibration.soundness import (
    PublishedAbilities,
    copied_share,
    independence_log_likelihood,
    moved_share,
    theta_change,
)


def names(letter: str, n: int) -> np.ndarray:
    return np.array([f"{letter}{k}" for k in range(n)], dtype=object)


def answered(x: np.ndarray) -> Observations:
    """Everybody on every item, (N, I) of 0 and 1."""
    user, item = (index.ravel().astype(np.int32) for index in np.indices(x.shape))
    at = np.full(x.size, np.datetime64("2025-11-01", "us"))
    return Observations(names("u", len(x)), names("q", x.shape[1]), user, item, x.ravel().astype(np.uint8), at)


def items(n: int, *, b: np.ndarray, se: float = 0.2, covariance: float = 0.0) -> ItemEstimates:
    return ItemEstimates(
        item_ids=names("q", n),
        parameters={"a": np.ones(n), "b": b},
        se={"a": np.full(n, se), "b": np.full(n, se)},
        covariance_ab=np.full(n, covariance),
    )


def test_the_likelihood_without_ability_is_that_of_each_items_share() -> None:
    x = np.array([[1, 0], [1, 1], [0, 1], [1, 1]])
    expected = 2 * (3 * np.log(0.75) + np.log(0.25))
    assert independence_log_likelihood(answered(x)) == pytest.approx(expected)
    assert independence_log_likelihood(answered(np.ones((3, 2)))) == 0.0


def test_copies_are_counted_and_what_a_class_shares_by_chance_is_not() -> None:
    rng = np.random.default_rng(1)
    bank, theta = items(40, b=np.zeros(40)), np.zeros(60)
    x = rng.integers(0, 2, (60, 40))
    x[50:] = x[:10]
    people = AbilityEstimates(user_ids=names("u", 60), theta=theta, se=theta)
    assert copied_share(answered(x), bank, people) == pytest.approx(20 / 60)
    few = answered(x[:, :5])  # five answers: many agree
    assert copied_share(few, bank, people) == 0.0


def test_items_that_moved_beyond_their_errors_are_counted_with_their_covariance() -> None:
    b = np.zeros(20)
    moved = b.copy()
    moved[:3] = 1.5
    assert moved_share(items(20, b=moved), items(20, b=b)) == (pytest.approx(3 / 20), 20)
    assert moved_share(items(20, b=moved, se=0.6), items(20, b=b, se=0.6)) == (0.0, 20)
    assert moved_share(items(20, b=moved), items(20, b=b, se=np.nan)) == (None, 0)
    near, far = np.full(20, 3.2), np.full(20, 4.0)
    loose, tight = (items(20, b=far, se=0.3, covariance=cov) for cov in (0.0, -0.089))
    assert moved_share(loose, items(20, b=near, se=0.01))[0] == 0.0
    assert moved_share(tight, items(20, b=near, se=0.01))[0] == 1.0


def test_learners_are_compared_by_their_ids() -> None:
    rng = np.random.default_rng(2)
    theta = rng.normal(size=80)
    people = AbilityEstimates(user_ids=names("u", 80), theta=theta + 0.3, se=np.ones(80))
    order = rng.permutation(80)[:60]
    shift, correlation, n = theta_change(people, PublishedAbilities(names("u", 80)[order], theta[order]))
    assert (shift, correlation, n) == (pytest.approx(0.3), pytest.approx(1.0), 60)
    assert theta_change(people, PublishedAbilities(names("v", 80), theta)) == (None, None, 0)


def test_each_way_of_spoiling_a_night_is_held_and_a_sound_one_passes() -> None:
    held = replicate(5)
    assert held.pop("sound") == ()
    assert set(held) == set(SPOILS) - {"sound"}
    assert all(held.values())
    assert "copies" in held["a class copied x 20"]
    assert held["ids of the learners shuffled"] == ("correlation_theta",)
