"""Standard errors: the inverse of the numerical Hessian, whatever the layout of the data; how often they cover."""

import numpy as np
import pytest
from scipy import sparse

from simulated import answers, bank, complete, some_of
from thetaline import irt
from thetaline.irt.calibration import observed_data
from thetaline.irt.standard_errors import estimate

GRID = irt.Grid(61, -6.0, 6.0)


def small(model="2PL", n_persons=400):
    rng = np.random.default_rng(61)
    if model in ("GRM", "PCM", "GPCM"):
        b = np.sort(rng.normal(size=(5, 2)), axis=1)
        items = irt.Items(ids=range(5), model=model, a=np.ones(5), b=b)
    else:
        items = bank(rng, 5)
    x = answers(rng, items, rng.normal(size=n_persons)).astype(float)
    x[rng.random(x.shape) < 0.2] = np.nan
    return irt.Responses.from_matrix(x)


def log_likelihood(responses, items):
    weight = np.exp(-0.5 * GRID.nodes**2)
    codes = items.offsets[responses.item] + responses.answer
    shape = (responses.n_persons, int(items.offsets[-1]))
    answered = sparse.csr_array((np.ones(len(codes)), codes, responses.indptr), shape=shape)
    return float(np.log(np.exp(answered @ items.log_prob(GRID.nodes)) @ weight / weight.sum()).sum())


def numerical_errors(responses, fit):
    """From the Hessian of the marginal log-likelihood in (a, b), by differences."""
    n, step = len(fit.items), 1e-3
    at = np.concatenate([fit.items.a, fit.items.b.ravel()])

    def value(x):
        items = irt.Items(ids=fit.items.ids, model=fit.items.model, a=x[:n], b=x[n:].reshape(fit.items.b.shape))
        return log_likelihood(responses, items)

    def both(i, j, signs):
        return value(at + step * (signs[0] * (np.arange(len(at)) == i) + signs[1] * (np.arange(len(at)) == j)))

    hessian = np.empty((len(at), len(at)))
    for i in range(len(at)):
        for j in range(i + 1):
            four = both(i, j, (1, 1)) - both(i, j, (1, -1)) - both(i, j, (-1, 1)) + both(i, j, (-1, -1))
            hessian[i, j] = hessian[j, i] = four / (4 * step**2)
    return np.sqrt(np.diagonal(np.linalg.inv(-hessian)))


@pytest.mark.parametrize("model", ["2PL", "GRM", "GPCM"])
def test_oakes_errors_are_those_of_the_numerical_hessian(model):
    responses = small(model)
    fit = irt.calibrate(responses, model=model, grid=GRID, tol=1e-8)
    se = fit.standard_errors()
    ours = np.concatenate([se.a, se.b.ravel()])
    np.testing.assert_allclose(ours, numerical_errors(responses, fit), rtol=2e-3)


@pytest.mark.parametrize("method", ["oakes", "crossproduct", "sandwich"])
@pytest.mark.parametrize("model", ["Rasch", "2PL", "GPCM"])
def test_sparse_and_dense_layouts_give_the_same_errors(monkeypatch, method, model):
    responses = small(model)
    dense = irt.calibrate(responses, model=model).standard_errors(method)
    monkeypatch.setattr(observed_data, "DENSE_ABOVE", 2.0)
    sparse = irt.calibrate(responses, model=model).standard_errors(method)
    np.testing.assert_allclose(sparse.b, dense.b, rtol=1e-5)
    np.testing.assert_allclose(sparse.sd, dense.sd, rtol=1e-5)


@pytest.mark.parametrize("above", [0.2, 2.0], ids=["dense", "sparse"])
def test_item_blocks_leave_out_only_what_lies_between_items(monkeypatch, above):
    monkeypatch.setattr(observed_data, "DENSE_ABOVE", above)
    fit = irt.calibrate(small())
    full = fit.standard_errors()
    monkeypatch.setattr(estimate, "MOST_FULL", 3)
    blocks = fit.standard_errors()
    assert (full.form, blocks.form) == ("full matrix", "item blocks")
    assert (blocks.a <= full.a + 1e-9).all()
    assert (blocks.a > 0.6 * full.a).all()


def test_crossproducts_and_sandwich_are_near_the_information_when_the_model_holds():
    fit = irt.calibrate(small(n_persons=4_000))
    oakes, cross, sandwich = (fit.standard_errors(method).a for method in ("oakes", "crossproduct", "sandwich"))
    np.testing.assert_allclose(cross, oakes, rtol=0.1)
    np.testing.assert_allclose(sandwich, oakes, rtol=0.1)
    assert not np.allclose(cross, oakes, rtol=1e-4)


def test_a_prior_makes_errors_smaller():
    responses = small()
    free = irt.calibrate(responses).standard_errors()
    held = irt.calibrate(responses, priors=irt.Priors(a=irt.LogNormal(0, 0.2))).standard_errors()
    assert (held.a < free.a).all()


def test_errors_of_groups_are_the_same_on_nodes_that_move_and_on_nodes_that_do_not():
    rng = np.random.default_rng(62)
    items = bank(rng, 12)
    theta = np.concatenate([rng.normal(size=900), rng.normal(0.7, 1.2, 900)])
    responses, labels = irt.Responses.from_matrix(answers(rng, items, theta)), np.repeat([1, 2], 900)
    moving = irt.calibrate(responses, model="Rasch", groups=labels).standard_errors()
    still = irt.calibrate(responses, model="Rasch", groups=labels, grid=irt.Grid(161, -9, 9)).standard_errors()
    np.testing.assert_allclose(moving.b, still.b, rtol=1e-3)
    np.testing.assert_allclose(moving.sd, still.sd, rtol=1e-3)
    assert np.isnan(moving.mean[0])
    assert moving.mean[1] == pytest.approx(still.mean[1], rel=1e-3)


def test_the_covariance_has_the_variances_on_its_diagonal_and_names_every_row():
    fit = irt.calibrate(small())
    covariance, se = fit.covariance(), fit.standard_errors()
    rows = dict(zip(zip(covariance.ids, covariance.names, strict=True), np.diagonal(covariance.matrix), strict=True))
    for k, name in enumerate(fit.items.ids):
        assert rows[name, "a"] == pytest.approx(se.a[k] ** 2)
        assert rows[name, "b"] == pytest.approx(se.b[k] ** 2)
    assert np.abs(covariance.matrix - covariance.matrix.T).max() < 1e-12


def test_errors_move_with_the_scale_but_not_with_its_origin():
    se = irt.calibrate(small()).standard_errors()
    moved = se.rescaled(2.0, 5.0)
    np.testing.assert_allclose(moved.b, 2.0 * se.b)
    np.testing.assert_allclose(moved.a, se.a / 2.0)


def test_errors_shrink_with_the_root_of_the_persons():
    rng = np.random.default_rng(63)
    items = bank(rng, 60)
    few = irt.calibrate(irt.Responses.from_long(*some_of(rng, items, 1_000, 20))).standard_errors()
    many = irt.calibrate(irt.Responses.from_long(*some_of(rng, items, 9_000, 20))).standard_errors()
    assert np.median(few.b / many.b) == pytest.approx(3.0, rel=0.15)


def test_intervals_cover_the_truth_at_their_nominal_rate():
    rng = np.random.default_rng(64)
    items = bank(rng, 20)
    inside = []
    for _ in range(40):  # `benchmarks` has 500 replications
        fit = irt.calibrate(complete(rng, items, 1_000))
        se = fit.standard_errors()
        inside.append(np.abs(fit.items.a - items.a) < 1.96 * se.a)
        inside.append(np.abs(fit.items.b - items.b) < 1.96 * se.b)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)
