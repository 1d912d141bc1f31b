"""The population's part of the M-step, and the expansion that makes the EM fast.

With the first group's population held at N(0, 1), the EM creeps along the two directions in which all items
move together.  Letting the population take its own mean and sd and then moving items and populations back to N(0, 1) (PX-EM:
Liu, Rubin & Wu, 1998) reaches the same maximum in far fewer cycles.  It needs the likelihood to be the same for both, so
it is left out under priors and on nodes that do not move.
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


def improve_population(model: Model, state: State, theta: Array, mass: Array, *, expand: bool) -> State:
    """Return the state with new means and sds; `expand` moves what is held fixed by way of the items."""
    mean, sd = moments(theta, mass)
    if not expand:
        return replace(
            state, mean=np.where(model.mean_free, mean, state.mean), sd=np.where(model.sd_free, sd, state.sd)
        )
    shift = 0.0 if model.mean_free[0] else float(mean[0] - state.mean[0])
    scale = 1.0 if model.sd_free[0] else float(sd[0] / state.sd[0])
    free = tuple(
        part.family.standardised(values, shift, scale) for part, values in zip(model.parts, state.free, strict=True)
    )
    return replace(state, free=free, mean=(mean - shift) / scale, sd=sd / scale)
