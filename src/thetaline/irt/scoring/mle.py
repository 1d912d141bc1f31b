"""MLE: the maximum of the likelihood, which is infinite where the answers set no bound."""

import numpy as np

from thetaline.irt.derivatives import Array, Index, Mask
from thetaline.irt.scoring.lattice import spans
from thetaline.irt.scoring.local import log_likelihood, slope_and_bend
from thetaline.irt.scoring.modes import Local, modes
from thetaline.irt.scoring.sheet import Sheet

FLAT = 1e-9  # a limit as high as the highest point, to rounding, is the supremum
MARGIN = 4.0  # logits beyond the outermost threshold where the first search ends


class Likelihood:
    """log L."""

    def on_nodes(self, _sheet: Sheet, _who: Index, _nodes: Array, log_likelihood: Array) -> Array:
        """As it is."""
        return log_likelihood

    def at(self, sheet: Sheet, _who: Index, theta: Array) -> Local:
        """Exact."""
        return Local(*slope_and_bend(sheet, theta))


def search_range(sheet: Sheet) -> tuple[Array, Array]:
    """First ranges (N,) for estimates without a prior."""
    low = np.full(sheet.n_persons, np.nanmin(sheet.bank.items.thresholds) - MARGIN)
    return low, np.full(sheet.n_persons, np.nanmax(sheet.bank.items.thresholds) + MARGIN)


def maximum_likelihood(sheet: Sheet) -> tuple[Array, Array, Mask]:
    """θ and its standard error (N,) from the likelihood's bend, and whether the search ended.

    Where the likelihood has no maximum they are ±inf and inf.
    """
    theta, converged = np.empty(sheet.n_persons), np.ones(sheet.n_persons, dtype=bool)
    limits = limits_of_log_likelihood(sheet)
    highest = _highest_on_nodes(sheet)
    bounded = np.flatnonzero(limits.max(axis=0) < highest - FLAT)
    if bounded.size:
        inner = sheet.chosen(bounded)
        found = modes(inner, Likelihood(), inner.curvature_bound, *search_range(inner))
        theta[bounded], converged[bounded] = found
        highest[bounded] = np.maximum(highest[bounded], log_likelihood(inner, found.theta))
    endless = limits.max(axis=0) >= highest - FLAT
    theta[endless] = np.where(limits[1] >= limits[0], np.inf, -np.inf)[endless]
    se = np.full(sheet.n_persons, np.inf)
    finite = np.flatnonzero(~endless)
    _, bend = slope_and_bend(sheet.chosen(finite), theta[finite])
    se[finite] = 1.0 / np.sqrt(-bend)
    return theta, se, converged


def limits_of_log_likelihood(sheet: Sheet) -> Array:
    """log L as θ → −∞ and as θ → +∞, (2, N); −inf where an answer becomes impossible."""
    bank = sheet.bank.items
    c, d = np.nan_to_num(bank.c, nan=0.0), np.nan_to_num(bank.d, nan=1.0)
    table = np.full((2, int(bank.offsets[-1])), -np.inf)
    with np.errstate(divide="ignore"):
        low, high = np.log([1.0 - c, c]), np.log([1.0 - d, d])  # of the first and the last category, (2, I)
    for lowest_or_highest, row in enumerate((bank.offsets[:-1], bank.offsets[1:] - 1)):
        table[0, row] = np.where(bank.a > 0, low[lowest_or_highest], high[lowest_or_highest])
        table[1, row] = np.where(bank.a > 0, high[lowest_or_highest], low[lowest_or_highest])
    return np.asarray((sheet.one_hot @ table.T).T)


def _highest_on_nodes(sheet: Sheet) -> Array:
    highest = np.empty(sheet.n_persons)
    for span in spans(sheet.curvature_bound, *search_range(sheet)):
        values = sheet.chosen(span.who).one_hot @ sheet.bank.log_prob(span.nodes)
        highest[span.who] = values.max(axis=1)
    return highest
