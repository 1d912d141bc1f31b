"""MLE: the maximum of the likelihood, which is infinite where the answers set no bound."""

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.scoring.matched_responses import MatchedResponses
from thetaline.irt.scoring.mode_search import (
    PersonDerivatives,
    SearchRange,
    log_likelihood,
    search_modes,
    slope_and_curvature,
)
from thetaline.irt.scoring.quadrature import node_ranges

FLATNESS_TOL = (
    2e-3  # log-likelihood: no data tell a maximum that is this little above an end of the scale from that end
)
FINER = 64.0  # of the information: nodes 8 times as close miss no more than half of that between them
FLAT = 12.0  # slope × distance from the threshold where a curve has less than 1e-5 left to go
LEAST_SLOPE = 0.05  # a curve of smaller slope is flat throughout, for the purpose
TAIL_STEP = 0.25  # logits
MARGIN = 4.0  # logits beyond the outermost threshold where the first search ends


class Likelihood:
    """log L."""

    def on_nodes(self, _sheet: MatchedResponses, _who: Index, _nodes: Array, log_likelihood: Array) -> Array:
        """As it is."""
        return log_likelihood

    def at(self, matched: MatchedResponses, _who: Index, theta: Array) -> PersonDerivatives:
        """Exact."""
        return PersonDerivatives(*slope_and_curvature(matched, theta))


def search_range(matched: MatchedResponses) -> SearchRange:
    """First ranges (N,) for estimates without a prior."""
    low = np.full(matched.n_persons, np.nanmin(matched.bank.items.thresholds) - MARGIN)
    return SearchRange(low, np.full(matched.n_persons, np.nanmax(matched.bank.items.thresholds) + MARGIN))


def maximum_likelihood(matched: MatchedResponses) -> tuple[Array, Array, Mask]:
    """θ and its standard error (N,) from the likelihood's curvature, and whether the search ended.

    Where the likelihood is nowhere higher than at an end of the scale, by 2e-3 in its logarithm, they are ±inf and inf.
    """
    theta, converged = np.empty(matched.n_persons), np.ones(matched.n_persons, dtype=bool)
    low, high = limits_of_log_likelihood(matched)
    supremum = np.maximum(low, high)
    endless = _rises_to_an_edge(matched, supremum)
    inner = np.flatnonzero(~endless)
    if inner.size:
        chosen = matched.chosen(inner)
        found = search_modes(chosen, Likelihood(), chosen.curvature_bound, search_range(chosen))
        theta[inner], converged[inner] = found
        endless[inner] = supremum[inner] >= log_likelihood(chosen, found.theta) - FLATNESS_TOL
    theta[endless] = np.where(high >= low, np.inf, -np.inf)[endless]
    se = np.full(matched.n_persons, np.inf)
    finite = np.flatnonzero(~endless)
    _, curvature = slope_and_curvature(matched.chosen(finite), theta[finite])
    se[finite] = 1.0 / np.sqrt(-curvature)
    return theta, se, converged


def limits_of_log_likelihood(matched: MatchedResponses) -> Array:
    """log L as θ → −∞ and as θ → +∞, (2, N); −inf where an answer becomes impossible."""
    bank = matched.bank.items
    c, d = np.nan_to_num(bank.c, nan=0.0), np.nan_to_num(bank.d, nan=1.0)
    table = np.full((2, int(bank.offsets[-1])), -np.inf)
    with np.errstate(divide="ignore"):
        low, high = np.log([1.0 - c, c]), np.log([1.0 - d, d])  # of the first and the last category, (2, I)
    for lowest_or_highest, row in enumerate((bank.offsets[:-1], bank.offsets[1:] - 1)):
        table[0, row] = np.where(bank.a > 0, low[lowest_or_highest], high[lowest_or_highest])
        table[1, row] = np.where(bank.a > 0, high[lowest_or_highest], low[lowest_or_highest])
    return np.asarray((matched.one_hot @ table.T).T)


def _rises_to_an_edge(matched: MatchedResponses, supremum: Array) -> Mask:
    """Whether no node is higher than an outermost one, nor any place beyond, and the limit is no lower than that."""
    rises = np.zeros(matched.n_persons, dtype=bool)
    who = np.flatnonzero(np.isfinite(supremum))
    low, high = search_range(matched)
    for node_range in node_ranges(FINER * matched.curvature_bound[who], low[who], high[who]):
        there = who[node_range.who]
        values = np.asarray(matched.chosen(there).one_hot @ matched.bank.log_prob(node_range.nodes))
        outermost = np.maximum(values[:, 0], values[:, -1])
        rises[there] = (outermost >= values.max(axis=1) - FLATNESS_TOL) & (supremum[there] >= outermost)
    doubtful = np.flatnonzero(rises)
    rises[doubtful] = _highest_beyond(matched.chosen(doubtful)) <= supremum[doubtful] + FLATNESS_TOL
    return rises


def _highest_beyond(matched: MatchedResponses) -> Array:
    """Highest log L between the first range's ends and where all curves are flat, (N,).

    An item of small slope bends there still, and may turn the likelihood once more.
    """
    if not matched.n_persons:
        return np.empty(0)
    items = matched.bank.items
    reach = FLAT / np.maximum(np.abs(items.a), LEAST_SLOPE)[:, None]
    low, high = search_range(matched)
    ends = (np.nanmin(items.thresholds - reach), low[0]), (high[0], np.nanmax(items.thresholds + reach))
    nodes = np.concatenate([np.arange(start, stop + TAIL_STEP, TAIL_STEP) for start, stop in ends])
    return np.asarray((matched.one_hot @ items.log_prob(nodes)).max(axis=1, initial=-np.inf))
