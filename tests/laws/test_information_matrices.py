"""Oakes, cross-product and sandwich against a posterior that is written out here and differentiated by differences.

Two groups, for a mean and an sd to estimate; priors, for errors under priors are those of the posterior.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from simulated import answers, bank
from thetaline import irt
from thetaline.irt.calibration import observed_data
from thetaline.irt.standard_errors import estimate

GRID = irt.Grid(91, -12.0, 12.0)  # so wide that nothing of a population is cut off
N_ITEMS = 4
PRIORS = irt.Priors(a=irt.LogNormal(0.1, 0.3), b=irt.Normal(0.2, 0.8))
METHODS = ("oakes", "crossproduct", "sandwich")


@dataclass(frozen=True)
class Matrices:
    """Of the parameters (a, d of each item, mean and log sd of the second group), and of the priors."""

    hessian: np.ndarray
    scores: np.ndarray  # (N, P)
    prior: np.ndarray

    def covariance(self, method: str, chosen: np.ndarray) -> np.ndarray:
        """Covariance of the `chosen` parameters when all others are taken as known."""
        own = np.ix_(chosen, chosen)
        squares = (self.scores.T @ self.scores + self.prior)[own]
        if method == "crossproduct":
            return np.linalg.inv(squares)
        bread = np.linalg.inv(self.hessian[own])
        return bread if method == "oakes" else bread @ squares @ bread


@cache
def data() -> tuple[irt.Responses, np.ndarray]:
    rng = np.random.default_rng(71)
    theta = np.concatenate([rng.normal(size=130), rng.normal(0.6, 1.3, 130)])
    x = answers(rng, bank(rng, N_ITEMS), theta).astype(float)
    x[rng.random(x.shape) < 0.2] = np.nan
    x[0] = 1.0
    return irt.Responses.from_matrix(x), np.repeat([0, 1], 130)


def fitted(priors: irt.Priors | None) -> irt.Fit:
    responses, groups = data()
    return irt.calibrate(responses, groups=groups, priors=priors, grid=GRID, tol=1e-9)


def log_likelihoods(x: np.ndarray) -> np.ndarray:
    """log P of each person's answers at (a, d, a, d, .., mean, log sd), (N,)."""
    responses, groups = data()
    a, d = x[:-2].reshape(N_ITEMS, 2).T
    z = np.multiply.outer(a, GRID.nodes) + d[:, None]
    answered = np.zeros((2, responses.n_persons, N_ITEMS))
    answered[responses.answer, responses.person, responses.item] = 1.0
    likelihood = np.exp(-answered[0] @ np.logaddexp(0.0, z) - answered[1] @ np.logaddexp(0.0, -z))
    weights = np.exp(-0.5 * ((GRID.nodes - np.array([[0.0], [x[-2]]])) / np.exp([[0.0], [x[-1]]])) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.log((likelihood * weights[groups]).sum(axis=1))


def log_prior(x: np.ndarray, priors: irt.Priors | None) -> float:
    if priors is None:
        return 0.0
    a, d = x[:-2].reshape(N_ITEMS, 2).T
    return float(priors.a.log_density(a).sum() + priors.b.log_density(-d / a).sum())


def gradient(f, x: np.ndarray, step: float) -> np.ndarray:
    """Central differences of `f`, the last axis along the parameters."""
    nudges = step * np.eye(len(x))
    return np.stack([(f(x + nudge) - f(x - nudge)) / (2 * step) for nudge in nudges], axis=-1)


@cache
def written_out(priors: irt.Priors | None) -> Matrices:
    fit = fitted(priors)
    a, b = fit.items.a, fit.items.b
    at = np.concatenate([np.column_stack([a, -a * b]).ravel(), fit.population.mean[1:], np.log(fit.population.sd[1:])])
    prior = -gradient(lambda x: gradient(lambda y: log_prior(y, priors), x, 1e-4), at, 1e-4)
    hessian = prior - gradient(lambda x: gradient(lambda y: log_likelihoods(y).sum(), x, 1e-3), at, 1e-3)
    return Matrices(hessian, gradient(log_likelihoods, at, 1e-4), prior)


def in_our_order(covariance: irt.ItemCovariance) -> list[int]:
    """Position of each of our parameters in the vector of this module."""
    place = {"slope": 0, "intercept1": 1}
    return [
        2 * item + place[name] if name in place else 2 * N_ITEMS + (name == "log sd")
        for item, name in zip(covariance.ids, covariance.names, strict=True)
    ]


def assert_same(ours: np.ndarray, expected: np.ndarray) -> None:
    scale = np.sqrt(np.outer(np.diagonal(expected), np.diagonal(expected)))
    np.testing.assert_allclose(ours / scale, expected / scale, atol=1e-4)


@pytest.mark.parametrize("above", [0.2, 2.0], ids=["dense", "sparse"])
@pytest.mark.parametrize("priors", [None, PRIORS], ids=["no priors", "priors"])
@pytest.mark.parametrize("method", METHODS)
def test_the_full_matrix_is_that_of_the_posterior(monkeypatch, method, priors, above):
    monkeypatch.setattr(observed_data, "DENSE_ABOVE", above)
    covariance = fitted(priors).covariance(method, scale="free")
    order = in_our_order(covariance)
    assert sorted(order) == list(range(2 * N_ITEMS + 2))
    assert_same(covariance.matrix, written_out(priors).covariance(method, np.array(order)))


@pytest.mark.parametrize("above", [0.2, 2.0], ids=["dense", "sparse"])
@pytest.mark.parametrize("priors", [None, PRIORS], ids=["no priors", "priors"])
@pytest.mark.parametrize("method", METHODS)
def test_item_blocks_are_those_of_the_posterior_when_all_else_is_known(monkeypatch, method, priors, above):
    monkeypatch.setattr(observed_data, "DENSE_ABOVE", above)
    monkeypatch.setattr(estimate, "MOST_FULL", 3)
    covariance = fitted(priors).covariance(method, scale="free")
    order = in_our_order(covariance)
    for item in range(N_ITEMS):
        own = np.array([order.index(2 * item), order.index(2 * item + 1)])
        expected = written_out(priors).covariance(method, np.array([2 * item, 2 * item + 1]))
        assert_same(covariance.matrix[np.ix_(own, own)], expected)


@pytest.mark.parametrize("most_full", [5_000, 3], ids=["full matrix", "item blocks"])
@pytest.mark.parametrize("method", METHODS)
def test_where_the_prior_says_all_the_error_is_the_priors(monkeypatch, method, most_full):
    monkeypatch.setattr(estimate, "MOST_FULL", most_full)
    se = fitted(irt.Priors(a=irt.LogNormal(0.0, 0.003), b=irt.Normal(0.0, 0.002))).standard_errors(method)
    np.testing.assert_allclose(se.a, 0.003, rtol=0.02)
    np.testing.assert_allclose(se.b, 0.002, rtol=0.02)
