"""Parameters that run to a bound: they rest there without an error, and go on when the EM starts anew."""

from dataclasses import replace

import numpy as np
import pytest

from simulated import answers, bank, complete
from thetaline import irt
from thetaline.errors import ModelWarning
from thetaline.irt.calibration.em import StoppingRule, em
from thetaline.irt.calibration.model import SLOPE_BOUND, EmState, ItemBlock, Model
from thetaline.irt.families import FAMILIES


def with_an_item_that_the_others_decide():
    rng = np.random.default_rng(42)
    x = answers(rng, bank(rng, 8), rng.normal(size=400)).astype(float)
    x[:, 7] = x[:, :7].sum(axis=1) > 3.5
    return irt.Responses.from_matrix(x)


@pytest.mark.parametrize("method", ["oakes", "crossproduct", "sandwich"])
def test_a_slope_at_its_bound_has_no_standard_error_and_spoils_no_other(method):
    fit = irt.calibrate(with_an_item_that_the_others_decide())
    assert fit.items.a[7] == SLOPE_BOUND
    assert fit.ids_with(irt.Finding.RUNAWAY) == [7]
    se = fit.standard_errors(method)
    assert np.isnan(se.a).tolist() == [False] * 7 + [True]
    assert np.isfinite(se.b).all()
    assert se.positive_definite
    covariance = fit.covariance(method)
    assert ("a" in covariance.names[covariance.ids == 7], "b" in covariance.names[covariance.ids == 7]) == (False, True)


def test_an_asymptote_at_its_bound_has_no_standard_error_and_spoils_no_other():
    rng = np.random.default_rng(40)
    items = irt.Items(ids=range(6), model="3PL", a=np.full(6, 1.2), b=np.linspace(-1.5, 1.5, 6), c=np.full(6, 0.1))
    priors = irt.Priors(a=irt.LogNormal(0.2, 0.3), b=irt.Normal(0, 1))
    with pytest.warns(ModelWarning, match="3PL without a prior on c"):
        fit = irt.calibrate(complete(rng, items, 800), model="3PL", priors=priors)
    assert fit.ids_with(irt.Finding.ASYMPTOTE) == [3]
    assert fit.items.c[3] < 1e-5 < fit.items.c.min(where=np.arange(6) != 3, initial=1.0)
    se = fit.standard_errors()
    assert np.isnan(se.c).tolist() == [False] * 3 + [True] + [False] * 2
    assert np.isfinite([se.a, se.b]).all()


def test_a_slope_that_stood_at_its_bound_goes_on_when_the_em_starts_anew():
    rng = np.random.default_rng(43)
    fit = irt.calibrate(complete(rng, bank(rng, 8), 600))
    solution = fit._solution
    at_bound = solution.state.free[0].copy()
    at_bound[2] *= SLOPE_BOUND / at_bound[2, 0]
    state = replace(solution.state, free=(at_bound,))
    again = em(solution.problem, state, StoppingRule(tol=1e-4, first_cycle=1, max_cycles=500))
    np.testing.assert_allclose(again.state.free[0], solution.state.free[0], atol=2e-4)


def test_such_an_item_starts_flatter_with_its_threshold_and_asymptote_and_the_others_as_they_were():
    block = ItemBlock(FAMILIES["3PL"], 2, np.arange(3))
    model = Model((block,), (), np.arange(0, 8, 2), np.array([False]), np.array([False]))
    free = np.array([[1.2, 0.4, -1.5], [SLOPE_BOUND, 12.0, -2.0], [-SLOPE_BOUND, 9.0, -1.0]])
    after = model.unfreeze(EmState((free,), np.zeros(1), np.ones(1))).free[0]
    np.testing.assert_array_equal(after[0], free[0])
    np.testing.assert_array_equal(after[:, 2], free[:, 2])
    np.testing.assert_allclose(after[:, 1] / after[:, 0], free[:, 1] / free[:, 0])
    assert (np.abs(after[:, 0]) < SLOPE_BOUND / 2).all()
