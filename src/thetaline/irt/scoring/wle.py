"""WLE: the likelihood weighted against its bias of order 1/n (Warm, 1989), finite for every pattern."""

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.scoring.matched_responses import Sheet
from thetaline.irt.scoring.mle import search_range
from thetaline.irt.scoring.mode_search import Local, modes
from thetaline.irt.scoring.person_derivatives import information_and_bias, slope_and_bend

NEARBY = 1e-5  # logits: rounding and curvature spoil the difference to a part in 1e5 at most


class WeightedLikelihood:
    """log L + ∫ J / (2 I): the root of ∂ log L / ∂θ + J / (2 I) with the highest weighted likelihood."""

    def on_nodes(self, sheet: Sheet, _who: Index, nodes: Array, log_likelihood: Array) -> Array:
        """The weight's logarithm is integrated over the nodes by the trapezoidal rule."""
        information, bias = sheet.bank.information_and_bias(nodes)
        drift = (sheet.answered @ bias) / (2.0 * (sheet.answered @ information))
        step = 0.5 * (drift[:, 1:] + drift[:, :-1]) * np.diff(nodes)
        weighted = log_likelihood.copy()
        weighted[:, 1:] += np.cumsum(step, axis=1)
        return weighted

    def at(self, sheet: Sheet, _who: Index, theta: Array) -> Local:
        """Exact slope; of the bend the weight's part is a difference, near enough for Newton steps to end soon."""
        slope, bend = slope_and_bend(sheet, theta)
        drift, beyond = (_drift(sheet, at) for at in (theta, theta + NEARBY))
        return Local(slope + drift, bend + (beyond - drift) / NEARBY)


def _drift(sheet: Sheet, theta: Array) -> Array:
    """J / (2 I), the slope of the weight's logarithm, (N,)."""
    information, bias = information_and_bias(sheet, theta)
    return np.asarray(bias / (2.0 * information))


def weighted_likelihood(sheet: Sheet) -> tuple[Array, Array, Mask]:
    """θ, 1 / √information there (N,), and whether the search ended; every person must have answered."""
    found = modes(sheet, WeightedLikelihood(), sheet.curvature_bound, search_range(sheet))
    information, _ = information_and_bias(sheet, found.theta)
    return found.theta, 1.0 / np.sqrt(information), found.converged
