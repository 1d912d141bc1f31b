"""No silent wrong number: minima that a test cannot meet, draws that persons share, learners without answers."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from banks import bank

from thetaline import irt
from thetaline.errors import InputError, ResponsesError

EIGHT = irt.Items(ids=[f"i{k}" for k in range(8)], model="2PL", a=np.ones(8), b=np.linspace(-2, 2, 8))
ONE_GEO = {f"i{k}": "geo" if k == 5 else "alg" for k in range(8)}
TWO_GEO = {f"i{k}": "geo" if k in {5, 6} else "alg" for k in range(8)}
NAN = float("nan")


def test_a_minimum_of_an_area_with_too_few_items_is_refused_before_and_during_a_test() -> None:
    limits = irt.ContentLimits(ONE_GEO, at_least={"geo": 2}, length=4)
    for administered in ([], ["i0", "i1", "i5"]):
        with pytest.raises(InputError, match="1 items of area 'geo', at_least asks for 2"):
            irt.next_item(EIGHT, 0.0, administered=administered, content=limits)


@pytest.mark.parametrize("call", [irt.simulate_adaptive, partial(irt.calibrate_exposure, largest=0.9)])
def test_simulations_refuse_a_minimum_that_their_bank_cannot_serve(call: Callable[..., object]) -> None:
    limits = irt.ContentLimits(ONE_GEO, at_least={"geo": 2}, length=4)
    stop = irt.StopRule(max_items=4)
    with pytest.raises(InputError, match="1 items of area 'geo', at_least asks for 2"):
        call(EIGHT, np.zeros(5), np.random.default_rng(0), stop=stop, content=limits)


def test_a_minimum_for_which_no_place_is_left_is_refused() -> None:
    limits = irt.ContentLimits(TWO_GEO, at_least={"geo": 2}, length=4)
    with pytest.raises(InputError, match="2 items of the minima are open, 1 places of 4 are left"):
        irt.next_item(EIGHT, 0.0, administered=["i0", "i1", "i2"], content=limits)
    last = irt.next_item(EIGHT, 0.0, administered=["i0", "i1", "i5"], content=limits)
    assert last is not None
    assert last.id == "i6"


def test_a_test_longer_than_its_maxima_allow_is_refused() -> None:
    limits = irt.ContentLimits(TWO_GEO, at_most={"alg": 2}, length=6)
    with pytest.raises(InputError, match="4 items may be asked under at_most, the test has 6"):
        irt.next_item(EIGHT, 0.0, content=limits)
    narrow = irt.ContentLimits(TWO_GEO, at_most={"alg": 2})
    with pytest.raises(InputError, match=r"tests of up to 6 items need as many .* 4 under the content limits"):
        irt.simulate_adaptive(EIGHT, np.zeros(5), 1, stop=irt.StopRule(max_items=6), content=narrow)
    assert (irt.simulate_adaptive(EIGHT, np.zeros(5), 1, content=narrow).n_items == 4).all()


def test_limits_of_an_area_that_no_item_has_are_refused() -> None:
    with pytest.raises(InputError, match=r"areas \['geometry'\], which no item has; the areas are \['alg', 'geo'\]"):
        irt.ContentLimits(TWO_GEO, at_most={"geometry": 2})


def test_a_precise_test_goes_on_until_its_minima_are_met() -> None:
    limits = irt.ContentLimits(TWO_GEO, at_least={"geo": 2}, length=8)
    stop = irt.StopRule(max_items=8, min_items=1, se=5.0)
    tests = irt.simulate_adaptive(EIGHT, np.full(30, -2.0), 2, stop=stop, content=limits)
    for asked in tests.item:
        assert {5, 6} <= set(asked[asked >= 0].tolist())


def test_minima_are_met_where_a_test_ends_before_the_length_of_its_limits() -> None:
    limits = irt.ContentLimits(TWO_GEO, at_least={"geo": 2}, length=8)
    tests = irt.simulate_adaptive(EIGHT, np.full(30, -2.0), 2, stop=irt.StopRule(max_items=4), content=limits)
    assert (np.isin(tests.item, [5, 6]).sum(axis=1) == 2).all()


def test_exposure_control_neither_shortens_a_test_nor_costs_it_a_minimum() -> None:
    limits = irt.ContentLimits(TWO_GEO, at_least={"geo": 2}, length=6)
    rule = irt.SympsonHetter(dict.fromkeys(EIGHT.ids, 0.05))
    stop = irt.StopRule(max_items=6)
    tests = irt.simulate_adaptive(EIGHT, np.zeros(300), 3, stop=stop, exposure=rule, content=limits)
    assert (tests.n_items == 6).all()
    assert (np.isin(tests.item, [5, 6]).sum(axis=1) == 2).all()


PATTERNS = irt.Responses.from_matrix(
    [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]], items=["x", "y", "z"], counts=[100, 300, 400, 200]
)
THREE = irt.Items(ids=["x", "y", "z"], model="Rasch", b=[-1, 0, 1])


def test_every_person_of_a_pattern_has_plausible_values_of_their_own() -> None:
    drawn = irt.plausible_values(PATTERNS, THREE, np.random.default_rng(0), n=3)
    assert drawn.shape == (1000, 3)
    whose = np.repeat(np.arange(4), PATTERNS.counts.astype(int))
    eap = irt.score(PATTERNS, THREE)
    for row in range(4):
        mine = drawn[whose == row]
        assert np.unique(mine).size == mine.size
        assert mine.mean() == pytest.approx(eap.theta[row], abs=4.0 * eap.se[row] / np.sqrt(mine.size))
    one_by_one = irt.Responses.from_matrix(np.repeat(np.tri(4, 3, -1), PATTERNS.counts.astype(int), axis=0))
    alike = irt.Items(ids=[0, 1, 2], model="Rasch", b=THREE.b)
    np.testing.assert_array_equal(drawn, irt.plausible_values(one_by_one, alike, np.random.default_rng(0), n=3))


def test_draws_for_a_part_of_a_person_are_refused() -> None:
    half = irt.Responses.from_matrix([[0, 1], [1, 1]], items=["x", "y"], counts=[2.0, 1.5])
    with pytest.raises(InputError, match=r"row 1 stands for 1.5 of them"):
        irt.plausible_values(half, THREE, 1)


ALONE = irt.Responses.from_matrix([[NAN] * 8], items=EIGHT.ids)
IN_COMPANY = irt.Responses.from_matrix([[NAN] * 8, [1, 1, 1, 1, 0, 1, 0, 0]], items=EIGHT.ids)


@pytest.mark.parametrize("method", ["EAP", "MAP", "MLE", "WLE"])
def test_a_learner_without_answers_has_one_score_alone_and_in_company(method: str) -> None:
    alone, company = (irt.score(r, EIGHT, method=method, prior=(0.3, 1.2)) for r in (ALONE, IN_COMPANY))
    expected = (0.3, 1.2) if method in {"EAP", "MAP"} else (NAN, np.inf)
    for scores in (alone, company):
        np.testing.assert_array_equal([scores.theta[0], scores.se[0]], expected)
        assert scores.notes[0] == "no answers"


def test_a_learner_without_answers_is_drawn_from_the_prior_alone_and_in_company() -> None:
    for responses in (ALONE, IN_COMPANY):
        drawn = irt.plausible_values(responses, EIGHT, 4, n=20_000, prior=(0.3, 1.2))[0]
        assert (drawn.mean(), drawn.std()) == pytest.approx((0.3, 1.2), abs=0.03)


def test_fit_statistics_have_no_number_for_learners_without_answers_alone_and_in_company() -> None:
    fit = irt.calibrate(irt.simulate(EIGHT, np.random.default_rng(5).normal(size=300), 6))
    for responses in (ALONE, IN_COMPANY):
        person = irt.person_fit(fit, responses)
        assert np.isnan([person.theta[0], person.lz[0], person.lz_star[0], person.p[0]]).all()
    alone = irt.item_fit(fit, ALONE)
    assert (alone.n_answers == 0).all()
    assert np.isnan([alone.infit, alone.outfit, alone.s_x2, alone.rmsd]).all()
    assert np.isnan(irt.local_dependence(fit, ALONE).q3).all()
    with pytest.raises(ResponsesError, match="answered all 8 items; 0 of 1 did"):
        irt.model_fit(fit, ALONE)


def test_a_group_of_learners_without_answers_takes_nothing_from_the_fit_of_the_others() -> None:
    items = bank("2PL", n=6)
    rng = np.random.default_rng(7)
    x = np.vstack([irt.simulate(items, rng.normal(size=400), rng).answer.reshape(400, 6), np.full((30, 6), NAN)])
    labels = np.repeat(["a", "b", "a", "b"], [200, 200, 0, 30])
    responses = irt.Responses.from_matrix(x, items=items.ids)
    fit = irt.calibrate(responses, groups=labels)
    some = irt.Responses.from_matrix(np.vstack([x[:200], x[400:]]), items=items.ids)
    found = irt.item_fit(fit, some, groups=np.repeat(["a", "b"], [200, 30]))
    assert np.isfinite(found.rmsd).all()


def test_nobody_with_an_answer_is_nothing_to_calibrate() -> None:
    with pytest.raises(ResponsesError, match="none of 1 persons answered any of 8 items"):
        irt.calibrate(ALONE)
