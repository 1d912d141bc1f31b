"""MLE: the maximum of the likelihood, which is infinite where the answers set no bound."""

import numpy as np

from thetaline.irt.derivatives import Array, Index, Mask
from thetaline.irt.scoring.lattice import curvature_bound, log_likelihood, spans
from thetaline.irt.scoring.local import likelihood_at
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
        here = likelihood_at(sheet, theta)
        return Local(here.slope, here.bend)


def search_range(sheet: Sheet) -> tuple[Array, Array]:
    """First ranges (N,) for estimates without a prior."""
    low = np.full(sheet.n_persons, np.nanmin(sheet.bank.thresholds) - MARGIN)
    return low, np.full(sheet.n_persons, np.nanmax(sheet.bank.thresholds) + MARGIN)


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
        found = modes(inner, Likelihood(), curvature_bound(inner), *search_range(inner))
        theta[bounded], converged[bounded] = found
        highest[bounded] = np.maximum(highest[bounded], _log_likelihood_at(inner, found.theta))
    endless = limits.max(axis=0) >= highest - FLAT
    theta[endless] = np.where(limits[1] >= limits[0], np.inf, -np.inf)[endless]
    se = np.full(sheet.n_persons, np.inf)
    finite = np.flatnonzero(~endless)
    se[finite] = 1.0 / np.sqrt(-likelihood_at(sheet.chosen(finite), theta[finite]).bend)
    return theta, se, converged


def limits_of_log_likelihood(sheet: Sheet) -> Array:
    """log L as θ → −∞ and as θ → +∞, (2, N); −inf where an answer becomes impossible."""
    bank = sheet.bank
    c, d = np.nan_to_num(bank.c, nan=0.0), np.nan_to_num(bank.d, nan=1.0)
    table = np.full((2, int(bank.offsets[-1])), -np.inf)
    with np.errstate(divide="ignore"):
        low, high = np.log([1.0 - c, c]), np.log([1.0 - d, d])  # of the first and the last category, (2, I)
    for lowest_or_highest, row in enumerate((bank.offsets[:-1], bank.offsets[1:] - 1)):
        table[0, row] = np.where(bank.a > 0, low[lowest_or_highest], high[lowest_or_highest])
        table[1, row] = np.where(bank.a > 0, high[lowest_or_highest], low[lowest_or_highest])
    return np.asarray((sheet.one_hot() @ table.T).T)


def _highest_on_nodes(sheet: Sheet) -> Array:
    highest = np.empty(sheet.n_persons)
    for span in spans(curvature_bound(sheet), *search_range(sheet)):
        inner = sheet.chosen(span.who)
        table = sheet.bank.log_prob(span.nodes)
        for rows, block in inner.blocks(table.shape[1]):
            highest[span.who[rows]] = log_likelihood(block, table).max(axis=1)
    return highest


def _log_likelihood_at(sheet: Sheet, theta: Array) -> Array:
    part_of, within = sheet.home
    total = np.zeros(sheet.n_persons)
    for number, alike_items in enumerate(sheet.parts):
        mine = np.flatnonzero(part_of[sheet.item] == number)
        person = sheet.person[mine]
        p = alike_items.at(theta[person], within[sheet.item[mine]]).p[np.arange(len(mine)), sheet.answer[mine]]
        total += np.bincount(person, np.log(np.maximum(p, np.finfo(float).tiny)), sheet.n_persons)
    return total
