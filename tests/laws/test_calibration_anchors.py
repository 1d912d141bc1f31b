"""Anchors are held: whatever their answers say, they are neither judged nor moved, and their curves are their own."""

import numpy as np
import pytest

from simulated import answers, bank
from thetaline import irt
from thetaline.errors import ItemsError, ResponsesError


def graded(n_items=8):
    rng = np.random.default_rng(81)
    b = rng.normal(0.0, 0.6, (n_items, 1)) + np.array([-1.0, 0.1, 1.1])
    return irt.Items(ids=range(n_items), model="GRM", a=rng.lognormal(0.2, 0.2, n_items), b=b)


def graded_answers(items, n_persons=500):
    rng = np.random.default_rng(82)
    return answers(rng, items, rng.normal(0.4, 1.2, n_persons)).astype(float)


def marginal_log_likelihood(responses, fit):
    """At the items and the population that were found, on the nodes of the fit."""
    population, items = fit.population, fit.items
    codes = items.offsets[responses.item] + responses.answer
    joint = np.tile(np.log(population.weights[0]), (responses.n_persons, 1))
    np.add.at(joint, responses.person, items.log_prob(population.nodes[0])[codes])
    return np.logaddexp.reduce(joint, axis=1).sum()


def test_anchors_that_no_calibration_could_estimate_are_neither_refused_nor_named_nor_moved():
    items = graded()
    x = graded_answers(items)
    x[:, 0] = 2  # everybody alike
    x[4:, 1] = np.nan  # four answers
    x[:, 2] = np.where(x[:, 2] > 1, 3, 0)  # two categories that nobody gave
    anchors = items.take(range(4))
    responses = irt.Responses.from_matrix(x)
    fit = irt.calibrate(responses, model="GRM", anchors=anchors)
    assert fit.converged
    assert fit.notes == ()
    np.testing.assert_allclose(fit.items.b[:4], anchors.b, rtol=1e-13)
    np.testing.assert_array_equal(fit.anchored, np.arange(8) < 4)
    with pytest.raises(ResponsesError, match=r"everybody gave the same answer to items \[0\]"):
        irt.calibrate(responses, model="GRM", anchors=items.take(range(1, 4)))


def test_of_an_anchor_and_another_item_with_few_answers_the_other_alone_is_named():
    x = graded_answers(graded())
    x[6:, [1, 7]] = np.nan
    priors = irt.Priors(a=irt.LogNormal(0.0, 0.5), b=irt.Normal(0.0, 2.0))
    few = irt.Finding.FEW_ANSWERS
    responses = irt.Responses.from_matrix(np.minimum(x, 1.0))
    dichotomous = irt.Items(ids=[0, 1, 2], a=np.ones(3), b=np.full(3, -1.0))
    assert irt.calibrate(responses, priors=priors).ids_with(few) == [1, 7]
    assert irt.calibrate(responses, priors=priors, anchors=dichotomous).ids_with(few) == [7]


@pytest.mark.parametrize("highest", [3, 2, 1])
def test_an_anchor_has_its_own_categories_whichever_of_them_were_given(highest):
    items = graded()
    x = graded_answers(items)
    x[:, 5] = np.minimum(x[:, 5], highest)
    responses = irt.Responses.from_matrix(x)
    fit = irt.calibrate(responses, model="GRM", anchors=items.take([5, 6, 7]))
    np.testing.assert_allclose(fit.items.b[5], items.b[5], rtol=1e-13)
    assert fit.log_likelihood == pytest.approx(marginal_log_likelihood(responses, fit), abs=1e-7)


def test_answers_beyond_an_anchors_categories_are_refused_with_its_id():
    items = graded()
    x = graded_answers(items)
    fewer = irt.Items(ids=[2, 3], model="GRM", a=[1.0, 1.0], b=[[-1.0, 1.0], [-1.0, 1.0]])
    with pytest.raises(ItemsError, match=r"anchors \[2, 3\] have answers beyond their categories"):
        irt.calibrate(irt.Responses.from_matrix(x), model="GRM", anchors=fewer)
    x[:, 3] = np.minimum(x[:, 3], 2)
    with pytest.raises(ItemsError, match=r"anchors \[2\] have"):
        irt.calibrate(irt.Responses.from_matrix(x), model="GRM", anchors=fewer)


def test_anchors_of_other_models_than_the_items_keep_their_own_curves():
    rng = np.random.default_rng(83)
    anchors = irt.Items(
        ids=["p", "g"], model=["3PL", "GPCM"], a=[1.4, 0.8], b=[[0.2, np.nan], [-0.5, 0.7]], c=[0.25, np.nan]
    )
    own = bank(rng, 6)
    theta = rng.normal(0.3, 1.1, 900)
    x = np.hstack([answers(rng, anchors, theta), answers(rng, own, theta)])
    responses = irt.Responses.from_matrix(x, items=["p", "g", *range(6)])
    fit = irt.calibrate(responses, anchors=anchors)
    assert fit.items.model.tolist() == ["3PL", "GPCM", *["2PL"] * 6]
    assert fit.log_likelihood == pytest.approx(marginal_log_likelihood(responses, fit), abs=1e-7)
    np.testing.assert_allclose(fit.items.b[2:, 0], own.b, atol=0.5)


def test_rasch_items_take_slope_1_on_the_scale_of_their_anchors_and_leave_the_spread_free():
    rng = np.random.default_rng(84)
    items = irt.Items(ids=range(16), model="Rasch", b=rng.normal(0.0, 1.5, 16))
    x = answers(rng, items, rng.normal(-0.5, 1.8, 2_000))
    fit = irt.calibrate(irt.Responses.from_matrix(x), model="Rasch", anchors=items.take(range(6)))
    assert (fit.items.a == 1.0).all()
    np.testing.assert_allclose(fit.items.b[6:], items.b[6:], atol=0.25)
    assert fit.population.of("all") == (pytest.approx(-0.5, abs=0.12), pytest.approx(1.8, abs=0.1))
    assert fit.n_parameters == 10 + 2
    assert np.isnan(fit.standard_errors().a).all()


def test_anchors_that_nobody_met_are_left_out():
    rng = np.random.default_rng(85)
    items = bank(rng, 10)
    x = answers(rng, items, rng.normal(size=500))
    held = items.take([0, 1])
    more = irt.Items(ids=[0, 1, "elsewhere"], a=[*held.a, 1.0], b=[*held.b, 0.0])
    one, other = (irt.calibrate(irt.Responses.from_matrix(x), anchors=those) for those in (held, more))
    np.testing.assert_array_equal(one.items.b, other.items.b)
    assert other.items.ids.tolist() == list(range(10))
