"""Coefficients alpha and omega with intervals, of the covariances of pairs of items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thetaline.irt._scipy import linalg, optimize, sparse, special
from thetaline.irt._types import Array, short_repr
from thetaline.irt.responses import Responses

SMALLEST_UNIQUENESS = 0.005  # share of an item's variance: a Heywood case ends there
WIDEST = 50.0  # half an interval on the log scale, far beyond what is worth telling


@short_repr
@dataclass(frozen=True, slots=True)
class Reliability:
    """A coefficient and its interval; NaN where the answers do not determine it."""

    estimate: float
    low: float
    high: float


UNKNOWN = Reliability(np.nan, np.nan, np.nan)


def pairwise_covariance(responses: Responses) -> tuple[Array, Array]:
    """Covariances (I, I) of the items' scores over the persons who answered both, and how many these are.

    All are NaN where some pair has no two such persons: nothing here is known without every pair.
    """
    shape = (responses.n_persons, responses.n_items)
    score = responses.answer.astype(np.float64)
    x = sparse.csr_array((score, responses.item, responses.indptr), shape=shape)
    seen = sparse.csr_array((np.ones_like(score), responses.item, responses.indptr), shape=shape)
    weights = sparse.diags_array(responses.counts)
    n: Array = (seen.T @ (weights @ seen)).toarray()
    if (n < 2).any():
        return np.full(n.shape, np.nan), n
    products: Array = (x.T @ (weights @ x)).toarray()
    sums: Array = (x.T @ (weights @ seen)).toarray()
    return (products - sums * sums.T / n) / (n - 1.0), n


def alpha(covariance: Array) -> float:
    """Cronbach's (1951) alpha of a covariance matrix (I, I)."""
    k, total = len(covariance), covariance.sum()
    return float(k / (k - 1.0) * (1.0 - np.trace(covariance) / total)) if k > 1 and total > 0 else float("nan")


def alpha_without(covariance: Array) -> Array:
    """(I,) alpha of the other items."""
    k = len(covariance) - 1
    if k < 2:
        return np.full(k + 1, np.nan)
    variance = np.diag(covariance)
    total = covariance.sum() - 2.0 * covariance.sum(axis=1) + variance
    trace = variance.sum() - variance
    out = np.full(k + 1, np.nan)
    np.divide(k * (total - trace), (k - 1.0) * total, out=out, where=total > 0)
    return out


def alpha_interval(covariance: Array, n_persons: float, level: float) -> Reliability:
    """Feldt's (1965) interval: (1 − alpha) / (1 − estimate) follows F with N − 1 and (N − 1)(I − 1) degrees of freedom.

    Exact for parallel normal items; an approximation for others.
    """
    estimate, k = alpha(covariance), len(covariance)
    if not np.isfinite(estimate) or n_persons < 2:
        return Reliability(estimate, np.nan, np.nan)
    df, tail = (n_persons - 1.0, (n_persons - 1.0) * (k - 1.0)), (1.0 - level) / 2.0
    low, high = (1.0 - (1.0 - estimate) * float(special.fdtri(*df, q)) for q in (1.0 - tail, tail))
    return Reliability(estimate, low, high)


def omega_interval(covariance: Array, n_persons: float, level: float) -> Reliability:
    """McDonald's (1999) omega, (Σλ)² / ((Σλ)² + Σψ) of one factor by maximum likelihood.

    Of at least three items and more persons than items: with fewer the covariances are singular.

    The interval is the delta method's (Raykov, 2002) on log(1 − omega), with the normal-theory covariance of λ and ψ.
    """
    if not 3 <= len(covariance) < n_persons or not np.isfinite(covariance).all() or (np.diag(covariance) <= 0).any():
        return UNKNOWN
    fitted = _one_factor(covariance)
    if fitted is None:
        return UNKNOWN
    loading, unique = fitted
    common, error = loading.sum() ** 2, unique.sum()
    omega = common / (common + error)
    # Gradient of log(1 − omega) = log Σψ − log((Σλ)² + Σψ).
    by_loading = np.full(len(loading), -2.0 * loading.sum() / (common + error))
    by_unique = np.full(len(unique), 1.0 / error - 1.0 / (common + error))
    gradient = np.concatenate([by_loading, by_unique])
    information = n_persons * _unit_information(loading, unique)
    try:
        variance = float(gradient @ linalg.cho_solve(linalg.cho_factor(information), gradient))
    except np.linalg.LinAlgError:  # a uniqueness at its bound
        return Reliability(float(omega), np.nan, np.nan)
    half = min(float(special.ndtri(0.5 + level / 2.0)) * np.sqrt(variance), WIDEST)
    low, high = (1.0 - (1.0 - omega) * np.exp(sign * half) for sign in (1.0, -1.0))
    return Reliability(float(omega), float(low), float(high))


def _one_factor(covariance: Array) -> tuple[Array, Array] | None:
    """Loadings and uniquenesses (I,) of one factor by maximum likelihood (Jöreskog, 1967); None where there is none."""
    scale = np.sqrt(np.diag(covariance))
    correlations = covariance / np.outer(scale, scale)
    k = len(scale)

    def discrepancy(psi: Array) -> tuple[float, Array]:
        root = np.sqrt(psi)
        values, vectors = np.linalg.eigh(correlations / np.outer(root, root))
        first, rest = max(values[-1], 1.0), values[:-1]
        if rest[0] <= 0:
            rest = np.maximum(rest, 1e-8)  # pairwise covariances need not be positive definite
        loading = root * vectors[:, -1] * np.sqrt(first - 1.0)
        residual = loading**2 + psi - 1.0
        return float((rest - np.log(rest) - 1.0).sum()), residual / psi**2

    start = np.full(k, 0.5)
    found = optimize.minimize(discrepancy, start, jac=True, method="L-BFGS-B", bounds=[(SMALLEST_UNIQUENESS, 1.0)] * k)
    root = np.sqrt(found.x)
    values, vectors = np.linalg.eigh(correlations / np.outer(root, root))
    if not found.success or values[-1] <= 1.0:
        return None
    loading = root * vectors[:, -1] * np.sqrt(values[-1] - 1.0)
    return scale * loading * (1.0 if loading.sum() >= 0 else -1.0), scale**2 * found.x


def _unit_information(loading: Array, unique: Array) -> Array:
    """Expected information (2I, 2I) of one person about loadings and uniquenesses of one factor."""
    inverse = np.linalg.inv(np.outer(loading, loading) + np.diag(unique))
    u = inverse @ loading
    of_loadings = (loading @ u) * inverse + np.outer(u, u)
    crossed = inverse * u
    return np.block([[of_loadings, crossed], [crossed.T, 0.5 * inverse**2]])
