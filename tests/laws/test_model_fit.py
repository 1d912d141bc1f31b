"""Model fit on simulated answers: M2 accepts the true model, rejects a false one, and counts its parameters."""

import numpy as np
import pytest
from fitted import calibrated, graded_bank, with_items

from thetaline import irt
from thetaline.errors import InputError, ResponsesError
from thetaline.irt.fit_statistics.m2 import MomentFit, m2


def test_m2_accepts_the_true_model_and_rejects_a_rasch_model_for_unequal_slopes() -> None:
    responses, fit = calibrated()
    assert irt.model_fit(fit, responses).p > 0.01
    rng = np.random.default_rng(20)
    unequal = irt.Items(ids=range(12), model="2PL", a=np.tile([0.5, 2.0], 6), b=rng.normal(0, 0.8, 12))
    responses = irt.simulate(unequal, rng.normal(size=1500), rng)
    wrong = irt.model_fit(irt.calibrate(responses, model="Rasch"), responses)
    assert wrong.p < 1e-6
    assert 0.02 < wrong.rmsea.low < wrong.rmsea.value < wrong.rmsea.high


def test_m2_star_of_graded_items_accepts_the_true_model() -> None:
    rng = np.random.default_rng(15)
    responses = irt.simulate(graded_bank(rng), rng.normal(size=1000), rng)
    fit = irt.calibrate(responses, model="GRM")
    star, full = irt.model_fit(fit, responses), irt.model_fit(fit, responses, statistic="M2")
    assert (star.statistic, star.df) == ("M2*", 10 + 45 - 40)
    assert (full.statistic, full.df) == ("M2", 30 + 45 * 9 - 40)
    assert star.p > 0.01
    assert full.p > 0.01


def moments(n: int) -> int:
    return n * (n + 1) // 2


@pytest.mark.parametrize("model", ["Rasch", "1PL", "2PL", "mixed"])
def test_m2_loses_one_degree_of_freedom_a_parameter(model: str) -> None:
    responses, _ = calibrated()
    chosen = {i: "Rasch" if i % 2 else "2PL" for i in range(12)} if model == "mixed" else model
    fit = irt.calibrate(responses, model=chosen)
    assert irt.model_fit(fit, responses).df == moments(12) - fit.n_parameters


@pytest.mark.parametrize("model", ["Rasch", "2PL"])
def test_anchors_lose_none_and_the_population_loses_two(model: str) -> None:
    responses, free = calibrated()
    anchors = (
        free.items.take([0, 1, 2]) if model == "2PL" else irt.calibrate(responses, model=model).items.take([0, 1, 2])
    )
    fit = irt.calibrate(responses, model=model, anchors=anchors)
    assert irt.model_fit(fit, responses).df == moments(12) - fit.n_parameters
    lost = irt.item_fit(irt.calibrate(responses, model=model), responses).s_x2_df
    kept = irt.item_fit(fit, responses).s_x2_df
    np.testing.assert_array_equal(kept[:3] - lost[:3], 2)
    np.testing.assert_array_equal(kept[3:], lost[3:])


def test_derivatives_that_say_the_same_cost_one_degree_of_freedom() -> None:
    rng = np.random.default_rng(21)
    column = rng.normal(size=(6, 1))
    group = MomentFit(100.0, rng.normal(size=6), np.eye(6), np.concatenate([column, 2 * column], axis=1))
    assert m2([group])[1] == 5


def test_moments_that_cannot_vary_are_refused() -> None:
    responses, fit = calibrated()
    x = responses.answer.reshape(1500, 12).copy()
    x[:, 0] = 1
    with pytest.raises(ResponsesError, match="always answered alike"):
        irt.model_fit(fit, irt.Responses.from_matrix(x))


def test_too_many_moments_are_refused_with_what_to_do() -> None:
    rng = np.random.default_rng(22)
    items = irt.Items(ids=range(60), model="GRM", a=np.ones(60), b=np.tile([-1.0, 0.0, 1.0], (60, 1)))
    known = with_items(items)
    with pytest.raises(ResponsesError, match=r"use 'M2\*'"):
        irt.model_fit(known, irt.simulate(items, rng.normal(size=100), rng), statistic="M2")
    with pytest.raises(InputError, match="unknown statistic 'M3'"):
        irt.model_fit(known, irt.simulate(items, rng.normal(size=100), rng), statistic="M3")


def test_an_item_that_all_got_right_leaves_the_fit_of_the_others():
    rng = np.random.default_rng(21)
    x = (rng.normal(size=(400, 1)) + rng.logistic(size=(400, 6)) > 0).astype(float)
    x[:, 0] = 1.0
    responses = irt.Responses.from_matrix(x)
    fit = irt.calibrate(responses, priors=irt.Priors(a=irt.LogNormal(0.0, 0.5), b=irt.Normal(0.0, 2.0)))
    found = irt.model_fit(fit, responses)
    assert np.isfinite([found.m2, found.srmsr, found.rmsea.value]).all()
    assert found.srmsr < 0.1
