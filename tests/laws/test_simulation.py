"""Laws of simulation: the model's probabilities, the design that was asked for, the seed's answers."""

import numpy as np
import pytest
from banks import MODELS, bank

from thetaline import irt
from thetaline.errors import InputError


@pytest.mark.parametrize("model", MODELS)
def test_category_shares_are_the_models_probabilities(model: str) -> None:
    items = bank(model)
    responses = irt.simulate(items, np.full(6000, 0.4), np.random.default_rng(1))
    codes = items.offsets[responses.item] + responses.answer
    share = np.bincount(codes, minlength=items.offsets[-1]) / 6000
    p = np.exp(items.log_prob([0.4]))[:, 0]
    assert (np.abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / 6000) + 1e-12).all()


def test_each_person_answers_as_many_different_items_as_asked() -> None:
    items = bank("2PL", n=30)
    counts = np.arange(31)
    responses = irt.simulate(items, np.zeros(31), np.random.default_rng(2), n_answers=counts)
    np.testing.assert_array_equal(np.diff(responses.indptr), counts)
    pairs = responses.person.astype(int) * 30 + responses.item
    assert (np.diff(pairs) > 0).all()


def test_random_designs_use_every_item_alike() -> None:
    items = bank("2PL", n=20)
    responses = irt.simulate(items, np.zeros(4000), np.random.default_rng(3), n_answers=5)
    used = np.bincount(responses.item, minlength=20)
    assert (np.abs(used - 1000) < 4.5 * np.sqrt(4000 * 0.25 * 0.75)).all()


def test_a_mask_says_who_answers_what() -> None:
    items, mask = bank("GRM", n=3), np.array([[True, False, True], [False, True, False]])
    responses = irt.simulate(items, [0.0, 1.0], np.random.default_rng(4), mask=mask, persons=["ann", "bob"])
    assert list(responses.person_ids) == ["ann", "bob"]
    np.testing.assert_array_equal(responses.item, [0, 2, 1])


def test_the_same_seed_gives_the_same_answers() -> None:
    first, second = (irt.simulate(bank("PCM"), np.zeros(50), np.random.default_rng(5), n_answers=6) for _ in "ab")
    np.testing.assert_array_equal(first.answer, second.answer)
    np.testing.assert_array_equal(first.item, second.item)


def test_designs_that_do_not_fit_are_refused() -> None:
    items, rng = bank("2PL", n=4), np.random.default_rng(6)
    with pytest.raises(InputError, match="not both"):
        irt.simulate(items, [0.0], rng, n_answers=2, mask=[[True] * 4])
    with pytest.raises(InputError, match=r"must lie in 0 … 4, not 5 … 5"):
        irt.simulate(items, [0.0], rng, n_answers=5)
    with pytest.raises(InputError, match=r"shape \(1, 3\); \(1, 4\) is needed"):
        irt.simulate(items, [0.0], rng, mask=[[True] * 3])
    with pytest.raises(InputError, match="theta must be finite; at position 0 it is inf"):
        irt.simulate(items, [np.inf], rng)
    with pytest.raises(InputError, match="one whole number"):
        irt.simulate(items, [0.0], rng, n_answers=1.5)


@pytest.mark.parametrize("design", [{}, {"n_answers": 1}])
def test_nobody_answers_nothing(design) -> None:
    with pytest.raises(InputError, match="theta holds no abilities"):
        irt.simulate(irt.Items(ids=[1], a=[1.0], b=[0.0]), [], np.random.default_rng(1), **design)
