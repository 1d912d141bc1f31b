"""Laws of simulated adaptive tests: answers of the model, an estimate after each, tests of every length."""

import numpy as np
import pytest
from banks import MODELS, bank

from thetaline import irt
from thetaline.errors import InputError

N = 400


def simulated(items: irt.Items, theta, seed: int, **options) -> irt.AdaptiveTests:
    return irt.simulate_adaptive(items, theta, np.random.default_rng(seed), **options)


@pytest.mark.parametrize("model", MODELS)
def test_answers_are_drawn_from_the_models_probabilities_at_the_true_ability(model: str) -> None:
    items = bank(model, n=6)
    tests = simulated(items, np.full(6000, 0.4), seed=1, stop=irt.StopRule(max_items=2))
    p = np.exp(items.log_prob([0.4]))[:, 0]
    for item in np.unique(tests.item):
        given = tests.answer[tests.item == item]
        mine = p[items.offsets[item] : items.offsets[item + 1]]
        share = np.bincount(given, minlength=len(mine)) / len(given)
        assert (np.abs(share - mine) < 4.5 * np.sqrt(mine * (1 - mine) / len(given)) + 1e-12).all()


def test_each_person_of_a_large_group_answers_by_the_own_ability() -> None:
    """1,200 × 4,000 is tested in blocks of persons."""
    items = irt.Items(ids=range(4000), a=np.full(4000, 4.0), b=np.zeros(4000))
    theta = np.random.default_rng(2).choice([-20.0, 20.0], 1200)
    tests = simulated(items, theta, seed=3, stop=irt.StopRule(max_items=1))
    np.testing.assert_array_equal(tests.true_theta, theta)
    np.testing.assert_array_equal(tests.answer[:, 0], theta > 0)
    np.testing.assert_array_equal(np.sign(tests.final_theta), np.sign(theta))


def test_the_path_is_the_eap_of_the_answers_until_then_under_the_prior() -> None:
    items, prior = bank("GPCM", n=20), (0.8, 0.6)
    tests = simulated(items, np.linspace(-2, 2, 30), seed=4, stop=irt.StopRule(max_items=6), prior=prior)
    for place in range(6):
        asked = irt.Responses.from_long(
            np.repeat(np.arange(30), place + 1),
            items.ids[tests.item[:, : place + 1].ravel()],
            tests.answer[:, : place + 1].ravel(),
        )
        scores = irt.score(asked, items, prior=prior)
        np.testing.assert_allclose(tests.theta[:, place], scores.theta, atol=1e-4)
        np.testing.assert_allclose(tests.se[:, place], scores.se, atol=1e-4)


def test_the_next_item_is_the_best_by_the_estimate_until_then() -> None:
    items = bank("2PL", n=25)
    tests = simulated(items, np.linspace(-2, 2, 20), seed=5, stop=irt.StopRule(max_items=5))
    for person in range(20):
        estimate = 0.0
        for place in range(5):
            before = items.ids[tests.item[person, :place]]
            assert irt.next_item(items, estimate, administered=before).id == items.ids[tests.item[person, place]]
            estimate = tests.theta[person, place]


def test_tests_of_unequal_length_hold_nothing_beyond_their_end_and_end_at_their_last_answer() -> None:
    items = bank("3PL", n=60)
    tests = simulated(items, np.random.default_rng(6).normal(size=N), seed=7, stop=irt.StopRule(25, 3, se=0.45))
    assert len(np.unique(tests.n_items)) > 5
    for person, n in enumerate(tests.n_items):
        assert (tests.item[person, n:] == -1).all()
        assert (tests.answer[person, n:] == -1).all()
        assert np.isnan(tests.theta[person, n:]).all()
        assert np.isnan(tests.se[person, n:]).all()
        assert (tests.item[person, :n] >= 0).all()
        assert tests.final_theta[person] == tests.theta[person, n - 1]
        assert tests.final_se[person] == tests.se[person, n - 1]
    answers = tests.responses()
    np.testing.assert_array_equal(np.diff(answers.indptr), tests.n_items)


def test_a_test_that_is_precise_from_the_start_ends_at_its_least_length() -> None:
    assert (simulated(bank("2PL", n=20), np.zeros(9), seed=16, stop=irt.StopRule(15, 3, se=5.0)).n_items == 3).all()


def test_exposure_is_the_share_of_the_tests_that_asked_an_item() -> None:
    items = bank("2PL", n=40)
    tests = simulated(items, np.random.default_rng(8).normal(size=N), seed=9, stop=irt.StopRule(12, 3, se=0.6))
    told = [np.mean((tests.item == item).any(axis=1)) for item in range(40)]
    np.testing.assert_allclose(tests.exposure, told)
    assert tests.exposure.sum() == pytest.approx(tests.n_items.mean())


def test_an_item_that_was_rejected_once_is_out_for_the_rest_of_the_test() -> None:
    items = irt.Items(ids=range(12), a=[2.0] + [1.0] * 11, b=np.zeros(12))
    rule = irt.SympsonHetter({0: 0.3})
    tests = simulated(items, np.zeros(1500), seed=10, stop=irt.StopRule(8), exposure=rule)
    assert tests.exposure[0] == pytest.approx(0.3, abs=0.05)
    assert set(tests.item[:, 0][tests.item[:, 0] != 0]) == {1}
    assert (tests.item[:, 1:] != 0).all()


def test_an_item_that_was_held_back_is_asked_at_last_where_no_other_is_left() -> None:
    three, rule = irt.Items(ids=range(3), a=[2.0, 1.0, 1.0], b=np.zeros(3)), irt.SympsonHetter({0: 0.5})
    tests = simulated(three, np.zeros(200), seed=12, stop=irt.StopRule(3), exposure=rule)
    assert (tests.n_items == 3).all()
    assert set(np.argmax(tests.item == 0, axis=1)) == {0, 2}


def test_a_test_has_30_items_unless_told_or_all_of_a_smaller_bank() -> None:
    assert simulated(bank("Rasch", n=40), [0.0], seed=14).item.shape == (1, 30)
    assert simulated(bank("Rasch", n=8), [0.0], seed=14).item.shape == (1, 8)
    assert (simulated(bank("Rasch", n=8), [0.0], seed=14, stop=irt.StopRule(8)).n_items == 8).all()


def test_a_test_longer_than_the_bank_is_refused() -> None:
    with pytest.raises(InputError, match="tests of up to 9 items need as many in the bank, which has 8"):
        simulated(bank("Rasch", n=8), [0.0], seed=15, stop=irt.StopRule(9))
