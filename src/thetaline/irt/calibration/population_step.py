"""The population's part of the M-step, and the expansion that makes the EM fast.

With the first group's population held at N(0, 1), the EM creeps along the two directions in which all items move
together.  Letting the population take its own mean and sd and then moving items and populations back to N(0, 1)
(PX-EM: Liu, Rubin & Wu, 1998) reaches the same maximum in far fewer cycles.  It needs the likelihood to be the same for
both, so it is left out under priors and on nodes that do not move.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thetaline.irt.calibration.model import Model, State

Array = NDArray[np.float64]


def moments(theta: Array, mass: Array) -> tuple[Array, Array]:
    """Return mean and sd per group of the expected mass (G, Q) at nodes (G, Q)."""
    share = mass / mass.sum(axis=1, keepdims=True)
    mean = (share * theta).sum(axis=1)
    variance = (share * (theta - mean[:, None]) ** 2).sum(axis=1)
    return mean, np.sqrt(variance)


def expanded(model: Model, state: State, theta: Array, mass: Array) -> State:
    """Take all means and sds, then move what should be held back to where it was by way of the items."""
    mean, sd = moments(theta, mass)
    shift = 0.0 if model.mean_free[0] else float(mean[0] - state.mean[0])
    scale = 1.0 if model.sd_free[0] else float(sd[0] / state.sd[0])
    return replace(moved(model, state, shift, scale), mean=(mean - shift) / scale, sd=sd / scale)


def moved(model: Model, state: State, shift: float, scale: float) -> State:
    """Return the same curves and populations on the scale (theta - shift) / scale."""
    pairs = zip(model.parts, state.free, strict=True)
    free = tuple(part.family.standardised(values, shift, scale) for part, values in pairs)
    return replace(state, free=free, mean=(state.mean - shift) / scale, sd=state.sd / scale)


def freed(model: Model, state: State, theta: Array, mass: Array) -> State:
    """Take the means and sds that are free and leave the others.

    On given nodes that cut the population off, these are the moments of what is left of it, as in mirt.
    """
    mean, sd = moments(theta, mass)
    return replace(state, mean=np.where(model.mean_free, mean, state.mean), sd=np.where(model.sd_free, sd, state.sd))


def histogram(model: Model, state: State, theta: Array, mass: Array) -> State:
    """Take the expected mass for weights; without anchors all moves until the first group has mean 0 and sd 1."""
    share = mass / mass.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        state = replace(state, log_histogram=np.log(share))
    if model.anchors:
        return state
    mean, sd = moments(theta, mass)
    return moved(model, state, float(mean[0]), float(sd[0]))
