"""S-X²: do the people at each sum score answer an item as the model says they should?

Orlando & Thissen (2000) for two categories, Kang & Chen (2008) for more. For item i the cell (s, k) holds the people
with sum score s who gave category k; the model expects N_s · Σ_q w_q P_ik(q) R_i(s − k, q) / Σ_q w_q F(s, q), where F
and R_i are the distributions of the sum score and of the sum over the other items. Sparse cells are merged in the order
of the R package mirt, so that statistic and degrees of freedom can be compared with its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Categories, Ints, Mask
from thetaline.irt.lord_wingersky import convolve, rest_score_tables

RARE_COLUMN = 0.05  # a category that is left in fewer than this share of the rows joins the one below
RARE_TOTAL = 0.1  # ... and so does a last category that expects less than `least` in each tenth row


class Cells(NamedTuple):
    """Observed and expected counts by sum score (rows) and category (columns); an expected 0 means "no cell"."""

    observed: Array
    expected: Array

    def rows(self, keep: Mask | slice) -> "Cells":
        """Only these rows."""
        return Cells(self.observed[keep], self.expected[keep])

    def summed(self, labels: Ints, *, axis: int) -> "Cells":
        """Rows (axis 0) or columns (axis 1) with the same label become one; labels are 0, 1, … without gaps, rising."""
        starts = np.flatnonzero(np.diff(labels, prepend=-1))
        observed, expected = (np.add.reduceat(table, starts, axis=axis) for table in self)
        return Cells(observed, expected)

    @property
    def statistic(self) -> float:
        """Pearson's X² over the cells that exist."""
        cell = self.expected > 0
        return float(np.sum((self.observed - self.expected)[cell] ** 2 / self.expected[cell]))

    @property
    def degrees(self) -> int:
        """Cells less rows: the row totals are given."""
        return int(np.count_nonzero(self.expected) - len(self.expected))


def expected_proportions(tables: Sequence[Array], weights: Array) -> list[Array]:
    """Per item, P(X_i = k | sum score = s), (S, K_i); `tables` are P(X_i = k | θ_q)."""
    proportions = []
    for table, rest in zip(tables, rest_score_tables(tables), strict=True):
        joint = np.zeros((rest.shape[0] + table.shape[0] - 1, table.shape[0]))
        for k, probability in enumerate(table):
            joint[k : k + rest.shape[0], k] = rest @ (probability * weights)
        proportions.append(joint / (convolve(rest, table) @ weights)[:, None])
    return proportions


def observed_counts(answers: Categories, counts: Array, n_categories: Ints) -> list[Array]:
    """Per item, people by sum score and category, (S, K_i); `answers` (N, I) without gaps, `counts` (N,)."""
    score = answers.sum(axis=1, dtype=np.int64)
    n_scores = int(np.sum(n_categories - 1)) + 1
    return [
        np.bincount(score * k + answers[:, i], counts, n_scores * k).astype(np.float64).reshape(n_scores, k)
        for i, k in enumerate(n_categories)
    ]


def merged(cells: Cells, *, least: float) -> Cells:
    """Leave no cell that expects fewer than `least` people, merging categories before sum scores."""
    cells = _without_impossible_cells(cells)
    cells = cells.rows(cells.observed.sum(axis=1) > 0)
    if not len(cells.expected):
        return cells
    cells = _without_single_persons(cells)
    if cells.expected.shape[1] > 2:
        cells = _without_rare_columns(_merged_within_rows(cells, least), least)
    return _merged_rows(cells, least)


def _without_impossible_cells(cells: Cells) -> Cells:
    """Drop the extreme scores, where the answer is certain, and join scores that rule a category out to the next."""
    n_scores, k = cells.expected.shape
    low, high = k - 1, n_scores - k
    if low > high:
        return cells.rows(slice(0, 0))
    inner = cells.rows(slice(1, n_scores - 1))
    return inner.summed(np.clip(np.arange(1, n_scores - 1), low, high) - low, axis=0)


def _without_single_persons(cells: Cells) -> Cells:
    """A row of one person joins the next one, the last row the one before."""
    labels, pending, current = [], 0.0, -1
    for total in cells.observed.sum(axis=1):
        current += pending != 1
        pending = total + (pending if pending == 1 else 0.0)
        labels.append(current)
    if pending == 1 and current > 0:
        labels = [min(label, current - 1) for label in labels]
    return cells.summed(np.array(labels, dtype=np.int64), axis=0)


def _merged_within_rows(cells: Cells, least: float) -> Cells:
    """In a row, the smallest expected category joins its smaller neighbour until all reach `least` or two are left."""
    observed, expected = np.zeros_like(cells.observed), np.zeros_like(cells.expected)
    for row, (o, e) in enumerate(zip(cells.observed.tolist(), cells.expected.tolist(), strict=True)):
        while len(e) > 2 and min(e) < least:
            smallest = max(j for j, value in enumerate(e) if value == min(e))
            low = min(smallest, _smaller_neighbour(e, smallest))
            o[low : low + 2] = [sum(o[low : low + 2])]
            e[low : low + 2] = [sum(e[low : low + 2])]
        observed[row, : len(o)], expected[row, : len(e)] = o, e
    return Cells(observed, expected)


def _smaller_neighbour(values: Sequence[float], place: int) -> int:
    """Index beside `place` with the smaller value; the lower one when they are equal."""
    if place == 0:
        return 1
    if place == len(values) - 1:
        return place - 1
    return place - 1 if values[place - 1] <= values[place + 1] else place + 1


def _without_rare_columns(cells: Cells, least: float) -> Cells:
    """Join columns that few rows still use to the one on their left."""
    width = cells.expected.shape[1]
    floor = least * np.ceil(cells.expected.shape[0] * RARE_TOTAL)
    while width > 2 and cells.expected[:, width - 1].sum() < floor:
        width -= 1
        cells = cells.summed(np.minimum(np.arange(width + 1), width - 1), axis=1)
    used = np.mean(cells.expected > 0, axis=0)
    labels = np.cumsum(np.r_[False, used[1:] >= RARE_COLUMN])
    return cells.summed(labels, axis=1)


def _merged_rows(cells: Cells, least: float) -> Cells:
    """The first row with a small cell joins the neighbour with fewer people, until none is left."""
    observed, expected = list(cells.observed), list(cells.expected)
    people = [float(row.sum()) for row in observed]
    small = [_has_small_cell(row, least) for row in expected]
    while len(expected) > 1 and any(small):
        row = small.index(True)
        low = min(row, _smaller_neighbour(people, row))
        for rows in (observed, expected, people):
            rows[low : low + 2] = [rows[low] + rows[low + 1]]
        small[low : low + 2] = [_has_small_cell(expected[low], least)]
    return Cells(np.array(observed), np.array(expected))


def _has_small_cell(expected: Array, least: float) -> bool:
    return any(0 < value < least for value in expected.tolist())
