"""WLE: the likelihood weighted against its bias of order 1/n (Warm, 1989), finite for every pattern."""

import numpy as np

from thetaline.irt.derivatives import Array, Index, Mask
from thetaline.irt.scoring.lattice import curvature_bound
from thetaline.irt.scoring.local import likelihood_at
from thetaline.irt.scoring.mle import search_range
from thetaline.irt.scoring.modes import Local, modes
from thetaline.irt.scoring.sheet import Sheet


class WeightedLikelihood:
    """log L + ∫ J / (2 I): the root of ∂ log L / ∂θ + J / (2 I) with the highest weighted likelihood."""

    def on_nodes(self, sheet: Sheet, _who: Index, nodes: Array, log_likelihood: Array) -> Array:
        """The weight's logarithm is integrated over the nodes by the trapezoidal rule."""
        information, bias = np.empty((2, len(sheet.bank), len(nodes)))
        for part in sheet.parts:
            curve = part.at_nodes(nodes)
            information[part.index], bias[part.index] = curve.information, curve.warm_bias
        answered = sheet.answered()
        drift = (answered @ bias) / (2.0 * (answered @ information))
        step = 0.5 * (drift[:, 1:] + drift[:, :-1]) * np.diff(nodes)
        weighted = log_likelihood.copy()
        weighted[:, 1:] += np.cumsum(step, axis=1)
        return weighted

    def at(self, sheet: Sheet, _who: Index, theta: Array) -> Local:
        """Exact slope; the bend is the log-likelihood's, which dominates."""
        here = likelihood_at(sheet, theta)
        return Local(here.slope + here.warm_bias / (2.0 * here.information), -here.information)


def weighted_likelihood(sheet: Sheet) -> tuple[Array, Array, Mask]:
    """θ, 1 / √information there (N,), and whether the search ended; every person must have answered."""
    found = modes(sheet, WeightedLikelihood(), curvature_bound(sheet), *search_range(sheet))
    se = 1.0 / np.sqrt(likelihood_at(sheet, found.theta).information)
    return found.theta, se, found.converged
