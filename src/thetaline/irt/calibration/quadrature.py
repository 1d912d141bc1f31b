"""Choose the nodes: as wide as the population, as fine as the sharpest posteriors ask.

The trapezoidal rule on a normal integrand of standard deviation s with spacing h errs by 2 exp(-2 (pi s / h)^2); with
h = s that is 5e-9, with h = 1.4 s 8e-5 of one person's likelihood, of either sign.
"""

import numpy as np
from numpy.typing import NDArray

from thetaline.irt.calibration.climb import Problem
from thetaline.irt.calibration.expectation import posteriors
from thetaline.irt.calibration.model import Nodes, State
from thetaline.irt.calibration.observations import Observations

Array = NDArray[np.float64]

WIDTH = 6.0  # standard deviations to either side
WIDEST_STEP = 0.25
STEPS_A_SD = 1.25  # spacing in units of the sharp posteriors' sd
SHARP = 0.02  # quantile of the posterior sds that counts as sharp
MOST_NODES = 1201
LOOKED_AT = 4  # blocks a group in which posteriors are looked at


def first_nodes(observations: Observations) -> Nodes:
    """Guess from the number of answers a person: each is worth about 0.2 of information where it matters."""
    answers = observations.n_answers / observations.n_persons
    return spaced(1.0 / np.sqrt(1.0 + 0.2 * answers))


def spaced(posterior_sd: float) -> Nodes:
    """Return standardised nodes for posteriors as sharp as `posterior_sd` (in units of the population's sd)."""
    step = min(WIDEST_STEP, STEPS_A_SD * posterior_sd)
    half = min(MOST_NODES // 2, int(np.ceil(WIDTH / step)))
    return Nodes(np.linspace(-WIDTH, WIDTH, 2 * half + 1))


def sharpest_posterior(problem: Problem, state: State) -> float:
    """Return a low quantile of the posterior sds, in units of the population's sd, at these parameters."""
    tables = problem.model.log_prob(state, problem.nodes.theta(state))
    log_weights = problem.nodes.log_weights(state)
    observations, spreads = problem.observations, []
    for g, blocks in enumerate(observations.blocks):
        table = observations.design.table(tables[g], observations.dtype)
        for block in blocks[:LOOKED_AT]:
            posterior, _ = posteriors(block, table, log_weights[g].astype(observations.dtype))
            spreads.append(_spread(posterior / posterior.sum(axis=1, keepdims=True), problem.nodes.z))
    return float(np.quantile(np.concatenate(spreads), SHARP))


def _spread(posterior: NDArray[np.floating], z: Array) -> Array:
    mean = posterior @ z
    return np.asarray(np.sqrt(np.maximum(posterior @ z**2 - mean**2, 0.0)))
