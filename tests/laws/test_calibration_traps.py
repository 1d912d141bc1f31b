"""Data that lead a calibration astray are named, and what can be estimated from them is estimated."""

import numpy as np
import pytest

from thetaline import irt
from thetaline.errors import ItemsError, ResponsesError

PRIORS = irt.Priors(a=irt.LogNormal(0.0, 0.5), b=irt.Normal(0.0, 2.0))


@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_a_polytomous_item_that_runs_backwards_under_priors_converges_and_is_named(model):
    rng = np.random.default_rng(0)
    truth = irt.Items(ids=range(6), model="GPCM", a=[1, 1, 1, -1, 1, 1.0], b=np.tile([-1.0, 0, 1], (6, 1)))
    fit = irt.calibrate(irt.simulate(truth, rng.normal(size=2000), rng), model=model, priors=PRIORS)
    assert fit.converged
    assert fit.cycles < 30
    assert fit.items.a[3] > 0
    assert np.isfinite(fit.items.b).all()
    assert fit.ids_with(irt.Finding.REVERSED) == [3]


def test_a_population_that_given_nodes_cut_off_is_fitted_as_truncated_and_named():
    rng = np.random.default_rng(5)
    x = (rng.normal(0.0, 1.5, 2000)[:, None] + rng.logistic(size=(2000, 5)) > np.linspace(-1, 1, 5)).astype(int)
    responses, grid = irt.Responses.from_matrix(x), irt.Grid(31, -3.0, 3.0)
    fit = irt.calibrate(responses, model="Rasch", grid=grid, tol=1e-6)
    assert fit.converged
    assert fit.ids_with(irt.Finding.BEYOND_NODES) == ["all"]

    def likelihood(sd):
        log_p = fit.items.log_prob(grid.nodes).reshape(5, 2, -1)
        weights = np.exp(-0.5 * (grid.nodes / sd) ** 2)
        given_theta = np.exp(sum(log_p[j][x[:, j]] for j in range(5)))
        return np.log(given_theta @ (weights / weights.sum())).sum()

    sd = fit.population.sd[0]
    assert likelihood(sd) == pytest.approx(fit.log_likelihood, abs=1e-6)
    assert likelihood(sd) > max(likelihood(0.95 * sd), likelihood(1.05 * sd))


def test_a_group_of_one_person_has_no_spread_and_is_named():
    rng = np.random.default_rng(7)
    responses = irt.Responses.from_matrix((rng.normal(size=300)[:, None] > rng.normal(size=(300, 8))).astype(float))
    fit = irt.calibrate(responses, groups=["a"] * 299 + ["b"], max_cycles=100)
    assert fit.ids_with(irt.Finding.NO_SPREAD) == ["b"]


def test_a_group_that_gets_everything_right_is_named():
    rng = np.random.default_rng(8)
    x = (rng.normal(size=300)[:, None] > rng.normal(size=(300, 8))).astype(float)
    x[200:] = 1
    fit = irt.calibrate(irt.Responses.from_matrix(x), groups=["a"] * 200 + ["b"] * 100, max_cycles=200)
    assert fit.ids_with(irt.Finding.OUT_OF_REACH) == ["b"]


def test_an_ordinary_fit_with_groups_has_no_note():
    rng = np.random.default_rng(9)
    theta = np.r_[rng.normal(size=400), rng.normal(1.0, 1.3, 400)]
    x = (theta[:, None] + rng.logistic(size=(800, 10)) > np.linspace(-2, 2, 10)).astype(float)
    assert irt.calibrate(irt.Responses.from_matrix(x), groups=["a"] * 400 + ["b"] * 400).notes == ()


def two_groups():
    rng = np.random.default_rng(10)
    x = (rng.normal(size=500)[:, None] + rng.logistic(size=(500, 8)) > np.linspace(-2, 2, 8)).astype(float)
    return x, np.repeat(["a", "b"], [300, 200])


def test_groups_without_common_items_are_refused_by_name_unless_something_ties_them():
    x, groups = two_groups()
    x[300:, :4] = np.nan
    x[:300, 4:] = np.nan
    responses = irt.Responses.from_matrix(x)
    with pytest.raises(ResponsesError, match=r"groups \['b'\] have no items in common with 'a'"):
        irt.calibrate(responses, groups=groups)
    anchors = irt.Items(ids=[0, 7], a=[1.0, 1.0], b=[-2.0, 2.0])
    assert irt.calibrate(responses, groups=groups, anchors=anchors, max_cycles=20).status
    with pytest.raises(ResponsesError, match=r"groups \['b'\] have no items in common with the anchors"):
        irt.calibrate(responses, groups=groups, anchors=anchors.take([0]))
    assert irt.calibrate(responses, groups=groups, priors=PRIORS).converged


def test_anchors_outside_given_nodes_are_refused():
    far = irt.Items(ids=[0, 1, 2], a=1.0, b=[28.0, 28.6, 29.1])
    responses = irt.Responses.from_matrix(two_groups()[0])
    with pytest.raises(ItemsError, match=r"anchors \[0, 1, 2\] have b from 28 to 29.1, outside Grid"):
        irt.calibrate(responses, anchors=far, grid=irt.Grid(61, -6, 6))


def test_anchors_of_a_model_with_asymptotes_do_not_warn():
    held = irt.Items(ids=[0, 1, 2], model="3PL", a=[1.0, 1, 1], b=[-2.0, -1.5, -1], c=[0.2, 0.2, 0.2])
    assert irt.calibrate(irt.Responses.from_matrix(two_groups()[0]), anchors=held).status


def test_two_items_with_slopes_of_their_own_are_named_as_unidentified():
    responses = irt.Responses.from_matrix(two_groups()[0][:, 3:5])
    assert irt.calibrate(responses).ids_with(irt.Finding.UNIDENTIFIED) == [0, 1]
    assert irt.calibrate(responses, model="Rasch").ids_with(irt.Finding.UNIDENTIFIED) == []


def test_items_that_still_move_when_the_cycles_end_are_named():
    rng = np.random.default_rng(3)
    x = (0.3 * rng.normal(size=300)[:, None] + rng.logistic(size=(300, 5)) > np.linspace(-2, 2, 5)).astype(float)
    fit = irt.calibrate(irt.Responses.from_matrix(x), max_cycles=60)
    assert not fit.converged
    named = set(fit.ids_with(irt.Finding.UNSETTLED)) | set(fit.ids_with(irt.Finding.RUNAWAY))
    assert int(np.argmax(np.abs(fit.items.a))) in named


@pytest.mark.parametrize("n_persons", [120, 500])
@pytest.mark.parametrize("seed", [0, 2, 5])
def test_an_item_that_every_able_person_misses_converges_under_priors(n_persons, seed):
    rng = np.random.default_rng(seed)
    theta, a, b = rng.normal(size=n_persons), rng.lognormal(0, 0.3, 20), rng.normal(size=20)
    x = (rng.random((n_persons, 20)) < 1 / (1 + np.exp(-a * (theta[:, None] - b)))).astype(float)
    x[:, 3] = theta <= 0
    priors = irt.Priors(a=irt.LogNormal(0, 0.5), b=irt.Normal(0, 2))
    fit = irt.calibrate(irt.Responses.from_matrix(x), model="2PL", priors=priors)
    assert fit.converged
    assert fit.cycles < 40
    assert list(fit.ids_with(irt.Finding.REVERSED)) == [3]
