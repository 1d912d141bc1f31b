"""Priors carried from published to free parameters by the chain rule."""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.calibration.model import Model, Part, State
from thetaline.irt.families import Published
from thetaline.irt.priors import Prior, Priors


@dataclass(frozen=True, slots=True, eq=False)
class Penalty:
    """Log prior density of the items of a part and its derivatives in their free parameters."""

    value: Array  # (I,)
    gradient: Array  # (I, P)
    curvature: Array  # (I, P, P), positive semi-definite
    bend: Array  # (I,), what b = -e / a adds to minus the second derivative in a: without it steps near a = 0 overshoot


def penalty(part: Part, free: Array, priors: Priors) -> Penalty:
    """Evaluate the priors for one part; a shared slope has its prior once, spread over its items."""
    n, p = free.shape
    value, gradient, curvature = np.zeros(n), np.zeros((n, p)), np.zeros((n, p, p))
    flat = free[:, 0] == 0.0  # b = -e / a has no value there, and no density
    sloped = np.where(flat[:, None], 1.0, free) if flat.any() else free
    for prior, x, rows, weight in _restrained(part, sloped, priors):
        value += weight * prior.log_density(x)
        gradient += weight * prior.slope(x)[:, None] * rows
        curvature += weight * prior.curvature(x)[:, None, None] * rows[:, :, None] * rows[:, None, :]
    value[flat] = -np.inf
    return Penalty(value, gradient, curvature, _bend(part, sloped, priors))


def log_prior(model: Model, state: State, priors: Priors) -> float:
    """Sum over all estimated items."""
    if priors.flat:
        return 0.0
    pairs = zip(model.parts, state.free, strict=True)
    return float(sum(penalty(part, free, priors).value.sum() for part, free in pairs))


def _restrained(part: Part, free: Array, priors: Priors) -> list[tuple[Prior, Array, Array, float]]:
    """Each prior with the published values (I,) it acts on, their derivatives (I, P), and its weight an item."""
    at, jacobian = _published(part, free)
    n_thresholds = part.n_categories - 1
    out: list[tuple[Prior, Array, Array, float]] = []
    if priors.a is not None and not part.family.unit:
        out.append((priors.a, at.a, jacobian[:, 0], 1.0 / len(free) if part.family.tied else 1.0))
    if priors.b is not None:
        out += [(priors.b, at.b[:, k], jacobian[:, 1 + k], 1.0) for k in range(n_thresholds)]
    if priors.c is not None and part.family.has_c:
        out.append((priors.c, at.c, jacobian[:, 1 + n_thresholds], 1.0))
    if priors.d is not None and part.family.has_d:
        out.append((priors.d, at.d, jacobian[:, -1], 1.0))
    return out


def _bend(part: Part, free: Array, priors: Priors) -> Array:
    """-slope(b) d2b/da2 summed over thresholds, where it is positive; d2b/da2 = 2 b / a^2."""
    if priors.b is None or part.family.unit:
        return np.zeros(len(free))
    b = part.family.to_published(free).b
    downhill = np.stack([-priors.b.slope(b[:, k]) * b[:, k] for k in range(b.shape[1])])
    return np.asarray(2.0 * np.maximum(downhill, 0.0).sum(axis=0) / free[:, 0] ** 2)


def _published(part: Part, free: Array) -> tuple[Published, Array]:
    """Published values and Jacobian; Rasch and PCM publish on the scale where the slope is 1."""
    if not part.family.unit:
        return part.family.to_published(free), part.family.published_jacobian(free)
    unit = free.copy()
    unit[:, 0] = 1.0
    jacobian = part.family.published_jacobian(unit)
    jacobian[:, :, 0] = 0.0
    return part.family.to_published(unit), jacobian
