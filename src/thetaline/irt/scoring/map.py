"""MAP: the mode of the posterior (Samejima, 1969)."""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.scoring.matched_responses import MatchedResponses
from thetaline.irt.scoring.mode_search import PersonDerivatives, SearchRange, search_modes, slope_and_curvature
from thetaline.irt.scoring.quadrature import REACH


@dataclass(frozen=True, slots=True, eq=False)
class LogPosterior:
    """log L + log N(θ; mean, sd²), mean and sd (N,)."""

    mean: Array
    sd: Array

    def on_nodes(self, _sheet: MatchedResponses, who: Index, nodes: Array, log_likelihood: Array) -> Array:
        """Up to a constant."""
        return np.asarray(log_likelihood - 0.5 * ((nodes - self.mean[who, None]) / self.sd[who, None]) ** 2)

    def at(self, matched: MatchedResponses, who: Index, theta: Array) -> PersonDerivatives:
        """Exact."""
        slope, curvature = slope_and_curvature(matched, theta)
        precision = 1.0 / self.sd[who] ** 2
        return PersonDerivatives(slope - precision * (theta - self.mean[who]), curvature - precision)


def maximum_a_posteriori(matched: MatchedResponses, mean: Array, sd: Array) -> tuple[Array, Array, Mask]:
    """θ, its standard error (N,) from the posterior's curvature, and whether the search ended."""
    information = 1.0 / sd**2 + matched.curvature_bound
    posterior = LogPosterior(mean, sd)
    found = search_modes(matched, posterior, information, SearchRange(mean - REACH * sd, mean + REACH * sd))
    curvature = posterior.at(matched, np.arange(matched.n_persons), found.theta).curvature
    return found.theta, 1.0 / np.sqrt(-curvature), found.converged
