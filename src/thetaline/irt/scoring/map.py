"""MAP: the mode of the posterior (Samejima, 1969)."""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.scoring.matched_responses import Sheet
from thetaline.irt.scoring.mode_search import Local, Range, modes
from thetaline.irt.scoring.person_derivatives import slope_and_bend
from thetaline.irt.scoring.quadrature import REACH


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """log L + log N(θ; mean, sd²), mean and sd (N,)."""

    mean: Array
    sd: Array

    def on_nodes(self, _sheet: Sheet, who: Index, nodes: Array, log_likelihood: Array) -> Array:
        """Up to a constant."""
        return np.asarray(log_likelihood - 0.5 * ((nodes - self.mean[who, None]) / self.sd[who, None]) ** 2)

    def at(self, sheet: Sheet, who: Index, theta: Array) -> Local:
        """Exact."""
        slope, bend = slope_and_bend(sheet, theta)
        precision = 1.0 / self.sd[who] ** 2
        return Local(slope - precision * (theta - self.mean[who]), bend - precision)


def maximum_a_posteriori(sheet: Sheet, mean: Array, sd: Array) -> tuple[Array, Array, Mask]:
    """θ, its standard error (N,) from the posterior's bend, and whether the search ended."""
    information = 1.0 / sd**2 + sheet.curvature_bound
    posterior = Posterior(mean, sd)
    found = modes(sheet, posterior, information, Range(mean - REACH * sd, mean + REACH * sd))
    bend = posterior.at(sheet, np.arange(sheet.n_persons), found.theta).bend
    return found.theta, 1.0 / np.sqrt(-bend), found.converged
