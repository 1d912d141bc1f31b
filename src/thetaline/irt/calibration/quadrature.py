"""Choose the nodes: as wide as the population, as fine as the sharpest posteriors and the steepest curves ask.

The trapezoidal rule with spacing h errs on a normal posterior of standard deviation s by 2 exp(-2 (pi s / h)^2), and on
a logistic curve of slope a, whose poles lie pi / a off the real axis, by about exp(-2 pi^2 / (a h)).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array
from thetaline.irt.calibration.e_step import posteriors
from thetaline.irt.calibration.em import Problem
from thetaline.irt.calibration.model import Nodes, State
from thetaline.irt.calibration.observations import Observations

SHARP = 0.02  # quantile of the posterior sds that counts as sharp, and of the slopes as steep
LOOKED_AT = 4  # blocks a group in which posteriors are looked at
STEPS_A_SLOPE = 1.6  # a h at which the error of a curve is 4e-6
MULTIPLE = 4  # of nodes: the sparse products step over four at a time, and 49 take as long as 56
MOST_NODES = 1200


@dataclass(frozen=True, slots=True)
class Fineness:
    """Half width and largest spacing in standard deviations of theta, and spacing in those of the sharp posteriors."""

    width: float
    widest_step: float
    steps_a_sd: float


# Against 141 nodes on ±7, slopes move by less than 1e-6 with the first, 1e-5 with the second (docs/decisions/0102).
FINE = Fineness(width=6.0, widest_step=0.25, steps_a_sd=1.0)
LARGE_DATA = Fineness(width=5.5, widest_step=0.36, steps_a_sd=1.3)


def first_nodes(observations: Observations) -> Nodes:
    """Guess from the number of answers a person: each is worth about 0.2 of information where it matters."""
    answers = observations.n_answers / observations.n_persons
    return _spaced(observations, 1.0 / np.sqrt(1.0 + 0.2 * answers))


def fitting_nodes(problem: Problem, state: State) -> Nodes:
    """Return the nodes that posteriors and slopes at these parameters ask for."""
    slopes = np.concatenate([np.abs(free[:, 0]) for free in state.free]) * state.sd.max()
    sharp = min(_sharpest_posterior(problem, state), STEPS_A_SLOPE / float(np.quantile(slopes, 1.0 - SHARP)))
    return _spaced(problem.observations, sharp)


def _spaced(observations: Observations, posterior_sd: float) -> Nodes:
    """Return standardised nodes for posteriors of this sd, in units of the population's."""
    fineness = FINE if observations.dtype == np.float64 else LARGE_DATA
    step = min(fineness.widest_step, fineness.steps_a_sd * posterior_sd)
    blocks = int(np.ceil((2 * fineness.width / step + 1) / MULTIPLE))
    return Nodes(np.linspace(-fineness.width, fineness.width, min(MOST_NODES, MULTIPLE * blocks)))


def _sharpest_posterior(problem: Problem, state: State) -> float:
    """Return a low quantile of the posterior sds, in units of the population's sd."""
    tables, log_weights = problem.tables(state)
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
