"""The nodes are as wide as the population and as fine as its posteriors and curves ask."""

import numpy as np
import pytest

from simulated import complete
from thetaline import irt


@pytest.mark.parametrize("slopes", [[15.0, 15.0, 15.0], [15.0, 1.0, 1.5]])
def test_steep_curves_far_apart_get_nodes_that_tell_them_from_steps(slopes):
    # three items leave posteriors wide, so that the posteriors alone would not ask for fine nodes
    rng = np.random.default_rng(7)
    responses = complete(rng, irt.Items(ids=range(3), a=slopes, b=[-1.5, 0.0, 1.5]), 1500)
    priors = irt.Priors(a=irt.LogNormal(np.log(15.0), 0.05 if min(slopes) > 2 else 1.0))
    fit, fine = (irt.calibrate(responses, priors=priors, grid=grid, tol=1e-6) for grid in (None, irt.Grid(801, -8, 8)))
    np.testing.assert_allclose(fit.items.b, fine.items.b, atol=2e-5)


def test_sharp_posteriors_of_flat_curves_get_nodes_as_close():
    rng = np.random.default_rng(8)
    responses = complete(rng, irt.Items(ids=range(400), a=np.ones(400), b=rng.normal(size=400)), 150)
    fit = irt.calibrate(responses, model="Rasch")
    nodes = fit.population.nodes[0]
    posterior_sd = irt.score(responses, fit.items, prior=fit.population.of("all")).se
    assert np.diff(nodes).max() < 1.1 * np.quantile(posterior_sd, 0.02)
    assert np.diff(nodes).max() > 0.5 * np.quantile(posterior_sd, 0.02)


@pytest.mark.parametrize("sd", [0.5, 3.0])
def test_nodes_reach_six_standard_deviations_and_weigh_like_the_normal(sd):
    rng = np.random.default_rng(9)
    items = irt.Items(ids=range(8), model="Rasch", b=sd * rng.normal(size=8))
    population = irt.calibrate(complete(rng, items, 600, sd=sd), model="Rasch").population
    nodes, weights = population.nodes[0], population.weights[0]
    found = population.sd[0]
    assert (nodes[0], nodes[-1]) == (pytest.approx(-6 * found), pytest.approx(6 * found))
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ nodes**2 == pytest.approx(found**2, rel=1e-6)
    np.testing.assert_allclose(np.log(weights[0] / weights.max()), -18.0, atol=0.02)
