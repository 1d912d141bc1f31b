"""The nodes: as wide as the population, as fine as the sharpest posteriors and the steepest curves ask.

The trapezoidal rule with spacing h errs on a normal posterior of standard deviation s by 2 exp(-2 (pi s / h)^2), and on
a logistic curve of slope a, whose poles lie pi / a off the real axis, by about exp(-2 pi^2 / (a h)).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array
from thetaline.irt.calibration.e_step import posteriors
from thetaline.irt.calibration.model import EmState
from thetaline.irt.calibration.observed_data import ObservedData
from thetaline.irt.grid import normal_log_weights

SHARP_QUANTILE = 0.02  # of the posterior sds, and of the slopes from above
SAMPLED_BLOCKS = 4  # blocks a group in which posteriors are looked at
STEPS_A_SLOPE = 1.6  # a h at which the error of a curve is 4e-6
MULTIPLE = 4  # of nodes: the sparse products step over four at a time, and 49 take as long as 56
MOST_NODES = 1200


@dataclass(frozen=True, slots=True)
class NodeSpacing:
    """Half width and largest spacing in standard deviations of theta, and spacing in those of the sharp posteriors."""

    width: float
    widest_step: float
    steps_a_sd: float


# Against 141 nodes on ±7, slopes move by less than 1e-6 with the first, 1e-5 with the second (docs/decisions/0102).
FINE = NodeSpacing(width=6.0, widest_step=0.25, steps_a_sd=1.0)
LARGE_DATA = NodeSpacing(width=5.5, widest_step=0.36, steps_a_sd=1.3)


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Quadrature: standardised nodes that follow each group's population, or fixed ones on the theta scale."""

    z: Array  # (Q,)
    fixed: bool = False

    @property
    def step(self) -> float:
        """Distance of neighbours."""
        return float(self.z[1] - self.z[0])

    def theta(self, state: EmState) -> Array:
        """Nodes per group, (G, Q)."""
        if self.fixed:
            return np.tile(self.z, (state.mean.size, 1))
        return state.mean[:, None] + np.multiply.outer(state.sd, self.z)

    def log_weights(self, state: EmState) -> Array:
        """Log of the normalised weights per group, (G, Q)."""
        if state.log_histogram is not None:
            return state.log_histogram
        if self.fixed:
            return np.stack([normal_log_weights(self.z, m, s) for m, s in zip(state.mean, state.sd, strict=True)])
        return np.tile(normal_log_weights(self.z, 0.0, 1.0), (state.mean.size, 1))


def initial_nodes(data: ObservedData) -> Nodes:
    """Guess from the number of answers a person: each is worth about 0.2 of information where it matters."""
    answers = data.n_answers / data.n_persons
    return _spaced(data, 1.0 / np.sqrt(1.0 + 0.2 * answers))


def adapted_nodes(
    data: ObservedData, state: EmState, tables: tuple[Array, Array], nodes: Nodes, slopes: Array
) -> Nodes:
    """Return the nodes that slopes (I,) and posteriors ask for; `tables` of log-probabilities are at `nodes`."""
    slopes = np.abs(slopes) * state.sd.max()
    steep = float(np.quantile(slopes, 1.0 - SHARP_QUANTILE))
    return _spaced(data, min(_sharpest_posterior(data, tables, nodes), STEPS_A_SLOPE / steep))


def _spaced(data: ObservedData, posterior_sd: float) -> Nodes:
    """Return standardised nodes for posteriors of this sd, in units of the population's."""
    spacing = FINE if data.dtype == np.float64 else LARGE_DATA
    step = min(spacing.widest_step, spacing.steps_a_sd * posterior_sd)
    fours = int(np.ceil((2 * spacing.width / step + 1) / MULTIPLE))
    return Nodes(np.linspace(-spacing.width, spacing.width, min(MOST_NODES, MULTIPLE * fours)))


def _sharpest_posterior(data: ObservedData, tables: tuple[Array, Array], nodes: Nodes) -> float:
    """Return a low quantile of the posterior sds, in units of the population's sd."""
    log_prob, log_weights = tables
    sds = []
    for g, blocks in enumerate(data.blocks):
        table = data.design.table(log_prob[g], data.dtype)
        for block in blocks[:SAMPLED_BLOCKS]:
            posterior, _ = posteriors(block, table, log_weights[g].astype(data.dtype))
            sds.append(_posterior_sd(posterior / posterior.sum(axis=1, keepdims=True), nodes.z))
    return float(np.quantile(np.concatenate(sds), SHARP_QUANTILE))


def _posterior_sd(posterior: NDArray[np.floating], z: Array) -> Array:
    mean = posterior @ z
    return np.asarray(np.sqrt(np.maximum(posterior @ z**2 - mean**2, 0.0)))
