"""Priors carried from published to free parameters by the chain rule."""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.calibration.model import EmState, ItemBlock, Model
from thetaline.irt.families import Published
from thetaline.irt.priors import Prior, Priors


@dataclass(frozen=True, slots=True, eq=False)
class LogPrior:
    """Log prior density of the items of a block and its derivatives in their free parameters."""

    value: Array  # (I,)
    gradient: Array  # (I, P)
    curvature: Array  # (I, P, P), positive semi-definite
    slope_curvature: Array  # (I,): what b = -e / a adds to it in a, without which steps near a = 0 overshoot


def block_log_prior(block: ItemBlock, free: Array, priors: Priors) -> LogPrior:
    """Evaluate the priors for one block; a shared slope has its prior once, spread over its items."""
    n, p = free.shape
    value, gradient, curvature = np.zeros(n), np.zeros((n, p)), np.zeros((n, p, p))
    flat = free[:, 0] == 0.0  # b = -e / a has no value there, and no density
    sloped = np.where(flat[:, None], 1.0, free) if flat.any() else free
    for prior, x, rows, weight in _prior_terms(block, sloped, priors):
        value += weight * prior.log_density(x)
        gradient += weight * prior.slope(x)[:, None] * rows
        curvature += weight * prior.curvature(x)[:, None, None] * rows[:, :, None] * rows[:, None, :]
    value[flat] = -np.inf
    return LogPrior(value, gradient, curvature, _slope_curvature(block, sloped, priors))


def log_prior(model: Model, state: EmState, priors: Priors) -> float:
    """Sum over all estimated items."""
    if priors.flat:
        return 0.0
    pairs = zip(model.item_blocks, state.free, strict=True)
    return float(sum(block_log_prior(block, free, priors).value.sum() for block, free in pairs))


def _prior_terms(block: ItemBlock, free: Array, priors: Priors) -> list[tuple[Prior, Array, Array, float]]:
    """Each prior with the published values (I,) it acts on, their derivatives (I, P), and its weight an item."""
    at, jacobian = _published(block, free)
    n_thresholds = block.n_categories - 1
    out: list[tuple[Prior, Array, Array, float]] = []
    if priors.a is not None and not block.family.unit:
        out.append((priors.a, at.a, jacobian[:, 0], 1.0 / len(free) if block.family.tied else 1.0))
    if priors.b is not None:
        out += [(priors.b, at.b[:, k], jacobian[:, 1 + k], 1.0) for k in range(n_thresholds)]
    if priors.c is not None and block.family.has_c:
        out.append((priors.c, at.c, jacobian[:, 1 + n_thresholds], 1.0))
    if priors.d is not None and block.family.has_d:
        out.append((priors.d, at.d, jacobian[:, -1], 1.0))
    return out


def _slope_curvature(block: ItemBlock, free: Array, priors: Priors) -> Array:
    """-slope(b) d2b/da2 summed over thresholds, where it is positive; d2b/da2 = 2 b / a^2."""
    if priors.b is None or block.family.unit:
        return np.zeros(len(free))
    b = block.family.to_published(free).b
    downhill = np.stack([-priors.b.slope(b[:, k]) * b[:, k] for k in range(b.shape[1])])
    return np.asarray(2.0 * np.maximum(downhill, 0.0).sum(axis=0) / free[:, 0] ** 2)


def _published(block: ItemBlock, free: Array) -> tuple[Published, Array]:
    """Published values and Jacobian; Rasch and PCM publish on the scale where the slope is 1."""
    if not block.family.unit:
        return block.family.to_published(free), block.family.published_jacobian(free)
    unit = free.copy()
    unit[:, 0] = 1.0
    jacobian = block.family.published_jacobian(unit)
    jacobian[:, :, 0] = 0.0
    return block.family.to_published(unit), jacobian
