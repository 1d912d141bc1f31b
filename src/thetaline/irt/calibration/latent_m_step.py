"""The population's part of the M-step, and the expansion that makes the EM fast.

With the first group's population held at N(0, 1), the EM is slow along the two directions in which all items move
together.  Letting the population take its own mean and sd and then moving items and populations back to N(0, 1)
(PX-EM: Liu, Rubin & Wu, 1998) reaches the same maximum in far fewer cycles.  It needs the likelihood to be the same for
both, so it is left out under priors and on nodes that do not move.
"""

from dataclasses import replace

import numpy as np

from thetaline.irt._log_space import log_softmax, softmax
from thetaline.irt._types import Array
from thetaline.irt.calibration.model import EmState, Model

NEWTON_STEPS = 6
HALVINGS = 8
LEAST_PRECISION = 0.1  # share of -1 / (2 sd^2) that one step may leave: beyond 0 there is no normal


def moments(theta: Array, mass: Array) -> tuple[Array, Array]:
    """Return mean and sd per group of the expected mass (G, Q) at nodes (G, Q)."""
    share = mass / mass.sum(axis=1, keepdims=True)
    mean = (share * theta).sum(axis=1)
    variance = (share * (theta - mean[:, None]) ** 2).sum(axis=1)
    return mean, np.sqrt(variance)


def px_em_step(model: Model, state: EmState, theta: Array, mass: Array) -> EmState:
    """Take all means and sds, then rescale items and populations so that the moments that are held stay."""
    mean, sd = moments(theta, mass)
    shift = 0.0 if model.mean_free[0] else float(mean[0] - state.mean[0])
    scale = 1.0 if model.sd_free[0] else float(sd[0] / state.sd[0])
    return replace(rescaled(model, state, shift, scale), mean=(mean - shift) / scale, sd=sd / scale)


def rescaled(model: Model, state: EmState, shift: float, scale: float) -> EmState:
    """Return the same curves and populations on the scale (theta - shift) / scale."""
    pairs = zip(model.item_blocks, state.free, strict=True)
    free = tuple(block.family.standardised(values, shift, scale) for block, values in pairs)
    return replace(state, free=free, mean=(state.mean - shift) / scale, sd=state.sd / scale)


def free_moments(model: Model, state: EmState, theta: Array, mass: Array) -> EmState:
    """Take the means and sds that are free and leave the others."""
    mean, sd = moments(theta, mass)
    return replace(state, mean=np.where(model.mean_free, mean, state.mean), sd=np.where(model.sd_free, sd, state.sd))


def moments_on_fixed_nodes(model: Model, state: EmState, theta: Array, mass: Array) -> EmState:
    """Take the means and sds that make the expected mass likeliest under the weights at nodes that do not move.

    Where the nodes cut the population off its moments there are not those of what is left, and the M-step is that of a
    truncated normal: log w = p1 theta + p2 theta^2 - log of the sum, concave in p1 = mean / sd^2, p2 = -1 / (2 sd^2).
    """
    mean, sd = state.mean.copy(), state.sd.copy()
    for g in np.flatnonzero(model.mean_free | model.sd_free):
        natural = np.array([mean[g] / sd[g] ** 2, -0.5 / sd[g] ** 2])
        directions = _directions(natural, bool(model.mean_free[g]), bool(model.sd_free[g]))
        natural = _most_likely(natural, directions, theta[g], mass[g] / mass[g].sum())
        sd[g] = np.sqrt(-0.5 / natural[1])
        mean[g] = natural[0] * sd[g] ** 2
    return replace(state, mean=mean, sd=sd)


def _directions(natural: Array, mean_free: bool, sd_free: bool) -> Array:
    """Where the natural parameters may go, as columns: both ways, along one mean, or along one sd."""
    if mean_free and sd_free:
        return np.eye(2)
    return natural[:, None] if sd_free else np.array([[1.0], [0.0]])


def _most_likely(natural: Array, directions: Array, theta: Array, share: Array) -> Array:
    """Newton steps, halved where they leave the normals or go downhill."""
    statistics = np.stack([theta, theta**2])
    observed = statistics @ share
    for _ in range(NEWTON_STEPS):
        weights = softmax(natural @ statistics)
        centred = statistics - (statistics @ weights)[:, None]
        spread = directions.T @ (centred * weights) @ centred.T @ directions
        uphill = directions.T @ (observed - statistics @ weights)
        step = directions @ np.linalg.lstsq(spread, uphill, rcond=None)[0]
        before = _expected_log_weight(natural, statistics, share)
        for _ in range(HALVINGS):
            after = natural + step
            if after[1] < LEAST_PRECISION * natural[1] and _expected_log_weight(after, statistics, share) >= before:
                natural = after
                break
            step *= 0.5
    return natural


def _expected_log_weight(natural: Array, statistics: Array, share: Array) -> float:
    """Expected log-weight of one person."""
    return float(share @ log_softmax(natural @ statistics))


def empirical_histogram(model: Model, state: EmState, theta: Array, mass: Array) -> EmState:
    """Take the expected mass for weights; without anchors all is rescaled to mean 0 and sd 1 of the first group."""
    share = mass / mass.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        state = replace(state, log_histogram=np.log(share))
    if model.anchors:
        return state
    mean, sd = moments(theta, mass)
    return rescaled(model, state, float(mean[0]), float(sd[0]))
