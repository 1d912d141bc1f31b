"""Logistic regression of an answer on ability, group and their product (Swaminathan & Rogers 1990).

Three nested models per item: ability; + group (uniform DIF); + product (non-uniform DIF). Their likelihood ratios test,
the rise of Nagelkerke's R² measures (Jodoin & Gierl 2001: 0.035 and 0.070 separate negligible, moderate and large).
"""

from typing import NamedTuple

import numpy as np

from thetaline.irt._scipy import special
from thetaline.irt._types import Array

R2_LIMITS = (0.035, 0.070)
MAX_STEPS = 50


class ScoreCells(NamedTuple):
    """People who agree in ability and group: (I, J) or, shared by all items, (1, J); `right` of `n` answered right."""

    ability: Array
    focal: Array
    n: Array
    right: Array


class LogisticDif(NamedTuple):
    """Per item (I,): likelihood ratios, coefficients of the full model, R² gained; NaN where a fit did not converge."""

    uniform: Array  # 1 df
    non_uniform: Array  # 1 df
    both: Array  # 2 df
    group: Array  # log odds of the focal group beyond ability, from the model without product
    r2_uniform: Array
    r2_both: Array


def logistic_dif(cells: ScoreCells) -> LogisticDif:
    """Fit the three models of every item by Newton steps, all items at once."""
    ones = np.ones_like(cells.n)
    ability = np.broadcast_to(_standardised(cells), ones.shape)
    focal = np.broadcast_to(cells.focal, ones.shape)
    design = np.stack([ones, ability, focal, ability * focal], axis=-1)
    models = [_fit(design[..., :width], cells) for width in (2, 3, 4)]
    null = _null_log_likelihood(cells)
    # an item to which all gave the same answer fits every model: a ratio of 0 would call it free of DIF
    base, uniform, full = (m._replace(log_likelihood=np.where(null < 0.0, m.log_likelihood, np.nan)) for m in models)
    r2 = [_nagelkerke(model.log_likelihood, null, cells.n.sum(axis=-1)) for model in (base, uniform, full)]
    return LogisticDif(
        2.0 * (uniform.log_likelihood - base.log_likelihood),
        2.0 * (full.log_likelihood - uniform.log_likelihood),
        2.0 * (full.log_likelihood - base.log_likelihood),
        uniform.coefficients[:, 2],
        r2[1] - r2[0],
        r2[2] - r2[0],
    )


class _Model(NamedTuple):
    coefficients: Array  # (I, W)
    log_likelihood: Array  # (I,)


def _standardised(cells: ScoreCells) -> Array:
    """Ability with mean 0 and sd 1, so that the Newton matrix is well conditioned; the tests do not depend on it."""
    weight = np.broadcast_to(cells.n, np.broadcast_shapes(cells.n.shape, cells.ability.shape))
    mean = np.average(np.broadcast_to(cells.ability, weight.shape), weights=weight)
    spread = np.sqrt(np.average((cells.ability - mean) ** 2 * np.ones_like(weight), weights=weight))
    return np.asarray((cells.ability - mean) / (spread if spread > 0 else 1.0))


def _fit(design: Array, cells: ScoreCells, *, tol: float = 1e-10) -> _Model:
    """Newton's method on (I, J, W); an item that has not come to rest has no likelihood (NaN)."""
    beta = np.zeros((design.shape[0], design.shape[-1]))
    for _ in range(MAX_STEPS):
        step, decrement = _newton_step(design, beta, cells)
        beta = beta + step
        if np.max(decrement) < tol:
            break
    return _Model(beta, np.where(decrement < tol, _log_likelihood(design, beta, cells), np.nan))


def _newton_step(design: Array, beta: Array, cells: ScoreCells) -> tuple[Array, Array]:
    fitted = 1.0 / (1.0 + np.exp(-_linear(design, beta)))
    gradient = np.einsum("ijw,ij->iw", design, cells.right - cells.n * fitted)
    curvature = np.einsum("ijw,ij,ijv->iwv", design, cells.n * fitted * (1.0 - fitted), design, optimize=True)
    # A pseudo-inverse leaves a direction without information alone: an item with answers in one group only.
    step = np.einsum("iwv,iv->iw", np.linalg.pinv(curvature, hermitian=True, rcond=1e-10), gradient)
    return step, np.einsum("iw,iw->i", step, gradient)


def _linear(design: Array, beta: Array) -> Array:
    # ±35 is a probability of 1e-15: a group that is separated runs there and no further.
    return np.asarray(np.clip(np.einsum("ijw,iw->ij", design, beta), -35.0, 35.0))


def _log_likelihood(design: Array, beta: Array, cells: ScoreCells) -> Array:
    z = _linear(design, beta)
    return np.asarray(np.sum(cells.right * z - cells.n * np.logaddexp(0.0, z), axis=-1))


def _null_log_likelihood(cells: ScoreCells) -> Array:

    n, right = cells.n.sum(axis=-1), cells.right.sum(axis=-1)
    return np.asarray(special.xlogy(right, right / n) + special.xlogy(n - right, 1.0 - right / n))


def _nagelkerke(log_likelihood: Array, null: Array, n: Array) -> Array:
    """1 − (L_0 / L)^(2/n), divided by what it could reach (Nagelkerke 1991); NaN where all gave the same answer."""
    reach = -np.expm1(2.0 * null / n)
    gained = -np.expm1(2.0 * (null - log_likelihood) / n)
    return np.asarray(np.divide(gained, reach, out=np.full_like(gained, np.nan), where=reach > 0.0))
