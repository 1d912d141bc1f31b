"""What tells a spoiled night from a sound one, on values; the benchmark of the gate's power has the rates."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.gate_power import Size, replicate

from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.answer_checks import copied_share, independence_log_likelihood, odd_days
from thetaline.jobs.calibration.engine import AbilityEstimates, ItemEstimates
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.calibration.published_comparison import (
    PublishedAbilities,
    anchors_rmsd,
    moved_share,
    references_gap,
    theta_change,
)

NIGHTS = (
    "sound",
    "ids of a tenth of the items permuted",
    "a class copied x 20",
    "a fifth of the learners click through",
    "a day inverted",
    "anchors' b x 1.5",
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
    assert moved_share(items(20, b=moved, se=0.1), items(20, b=b, se=0.1)) == (pytest.approx(3 / 20), 20)
    # Wald 18 of 7 … 22 counts as 11 / 15 of an item
    assert moved_share(items(20, b=moved), items(20, b=b)) == (pytest.approx(3 / 20 * 11 / 15), 20)
    assert moved_share(items(20, b=moved, se=0.6), items(20, b=b, se=0.6)) == (0.0, 20)
    assert moved_share(items(20, b=moved), items(20, b=b, se=np.nan)) == (None, 0)
    near, far = np.full(20, 3.2), np.full(20, 4.0)
    loose, tight = (items(20, b=far, se=0.3, covariance=cov) for cov in (0.0, -0.089))
    assert moved_share(loose, items(20, b=near, se=0.01))[0] < 0.01
    assert moved_share(tight, items(20, b=near, se=0.01))[0] == 1.0


def test_learners_are_compared_by_their_ids() -> None:
    rng = np.random.default_rng(2)
    theta = rng.normal(size=80)
    people = AbilityEstimates(user_ids=names("u", 80), theta=theta + 0.3, se=np.full(80, 0.4))
    order = rng.permutation(80)[:60]
    old = PublishedAbilities(names("u", 80)[order], theta[order], np.full(60, 0.3))
    assert theta_change(people, old) == (pytest.approx(0.3), pytest.approx(1.0), 0.0, 60)
    assert theta_change(people, PublishedAbilities(names("v", 80), theta, theta)) == (None, None, None, 0)


def test_learners_who_moved_from_the_others_beyond_both_errors_are_counted() -> None:
    theta = np.linspace(-1, 1, 80)
    moved = theta + 0.3
    moved[:8] += 1.6
    people = AbilityEstimates(user_ids=names("u", 80), theta=moved, se=np.full(80, 0.4))
    for se, changed in ((0.3, 0.1), (0.4, 0.0)):  # three errors are 1.5, and 1.7
        assert theta_change(people, PublishedAbilities(names("u", 80), theta, np.full(80, se))).changed == changed


def test_days_that_were_marked_by_another_rule_are_found() -> None:
    rng = np.random.default_rng(3)
    bank = items(40, b=np.linspace(-2, 2, 40))
    theta = rng.normal(0, 1, 200)
    people = AbilityEstimates(user_ids=names("u", 200), theta=theta, se=np.ones(200))
    answers = answered(rng.random((200, 40)) < 1 / (1 + np.exp(-(theta[:, None] - bank.parameters["b"]))))
    day = rng.integers(100, 110, answers.n_answers).astype(np.int32)
    assert odd_days(answers, day, bank, people) == ((), 0.0)
    inverted = answers.correct ^ (day == 103)
    all_wrong = np.where(day == 107, 0, inverted)
    found = odd_days(replace(answers, correct=all_wrong.astype(np.uint8)), day, bank, people)
    assert found == ((103, 107), pytest.approx(np.isin(day, [103, 107]).mean()))
    few = np.where(np.arange(day.size) % 500 == 0, 111, day).astype(np.int32)  # sixteen answers tell nothing
    assert odd_days(replace(answers, correct=answers.correct ^ (few == 111)), few, bank, people).numbers == ()
    one_item = np.where(answers.item == 7, 112, day).astype(np.int32)  # a wrong key is no wrong day
    assert odd_days(replace(answers, correct=answers.correct ^ (answers.item == 7)), one_item, bank, people).share == 0


@pytest.mark.parametrize(
    ("a", "b", "gap"), [(1.7, 1.0, 0.53), (1.0, 1.5, 0.41), (1.0, 1.0, 0.0)], ids=["metric", "unit", "sound"]
)
def test_references_on_another_scale_than_the_published_are_told(a: float, b: float, gap: float) -> None:
    published = items(20, b=np.linspace(-2, 2, 20))
    anchors = [AnchorItem(f"q{k}", a, b * value) for k, value in enumerate(published.parameters["b"])]
    assert references_gap(anchors, published) == pytest.approx(gap, abs=0.01)
    moved = [replace(one, b=one.b + 1) for one in anchors]
    assert references_gap(moved, published) >= 0.4
    assert references_gap(anchors[:4], published) is None


def test_anchors_that_are_hardly_known_do_not_decide_about_a_link() -> None:
    own = items(20, b=np.linspace(-2, 2, 20))
    anchors = [AnchorItem(f"q{k}", 1.0, b + 0.3) for k, b in enumerate(own.parameters["b"])]
    assert anchors_rmsd(anchors, own) == pytest.approx(0.3)
    anchors[0] = replace(anchors[0], b=-6.0)
    own.se["b"][0] = 2.0
    assert anchors_rmsd(anchors, own) == pytest.approx(0.3, abs=0.05)
    own.se["b"][0] = np.nan
    assert anchors_rmsd(anchors, own) > 0.9
    assert np.isnan(anchors_rmsd([AnchorItem("other", 1.0, 0.0)], own))


def test_references_that_differ_by_their_errors_are_sound() -> None:
    rng = np.random.default_rng(4)
    published = items(20, b=np.linspace(-2, 2, 20))
    near = [AnchorItem(f"q{k}", float(rng.lognormal(0, 0.3)), float(rng.normal(b, 0.4)))
            for k, b in enumerate(published.parameters["b"])]  # fmt: skip
    assert references_gap(near, published) < 0.2


def test_each_way_of_spoiling_a_night_is_held_and_a_sound_one_passes() -> None:
    held = replicate(5, NIGHTS, Size(300, 60, 30, 20))
    assert held.pop("sound") == ()
    assert all(held.values())
    assert "copies" in held["a class copied x 20"]
    assert held["a day inverted"] == ("days",)
    assert "references" in held["anchors' b x 1.5"]
    assert "changed_learners" in held["a fifth of the learners click through"]
