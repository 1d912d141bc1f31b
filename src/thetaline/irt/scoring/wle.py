"""WLE: the likelihood weighted against its bias of order 1/n (Warm, 1989), finite for every pattern."""

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.scoring.matched_responses import MatchedResponses
from thetaline.irt.scoring.mle import search_range
from thetaline.irt.scoring.mode_search import PersonDerivatives, information_and_bias, search_modes, slope_and_curvature

NEARBY = 1e-5  # logits: rounding and curvature spoil the difference to a part in 1e5 at most


class WeightedLikelihood:
    """log L + ∫ J / (2 I): the root of ∂ log L / ∂θ + J / (2 I) with the highest weighted likelihood."""

    def on_nodes(self, matched: MatchedResponses, _who: Index, nodes: Array, log_likelihood: Array) -> Array:
        """The weight's logarithm is integrated over the nodes by the trapezoidal rule."""
        information, bias = matched.bank.information_and_bias(nodes)
        drift = (matched.answered @ bias) / (2.0 * (matched.answered @ information))
        step = 0.5 * (drift[:, 1:] + drift[:, :-1]) * np.diff(nodes)
        weighted = log_likelihood.copy()
        weighted[:, 1:] += np.cumsum(step, axis=1)
        return weighted

    def at(self, matched: MatchedResponses, _who: Index, theta: Array) -> PersonDerivatives:
        """Exact slope; of the curvature the weight's part is a difference, near enough for Newton steps to end soon."""
        slope, curvature = slope_and_curvature(matched, theta)
        drift, beyond = (_drift(matched, at) for at in (theta, theta + NEARBY))
        return PersonDerivatives(slope + drift, curvature + (beyond - drift) / NEARBY)


def _drift(matched: MatchedResponses, theta: Array) -> Array:
    """J / (2 I), the slope of the weight's logarithm, (N,)."""
    information, bias = information_and_bias(matched, theta)
    return np.asarray(bias / (2.0 * information))


def weighted_likelihood(matched: MatchedResponses) -> tuple[Array, Array, Mask]:
    """θ, 1 / √information there (N,), and whether the search ended; every person must have answered."""
    found = search_modes(matched, WeightedLikelihood(), matched.curvature_bound, search_range(matched))
    information, _ = information_and_bias(matched, found.theta)
    return found.theta, 1.0 / np.sqrt(information), found.converged
