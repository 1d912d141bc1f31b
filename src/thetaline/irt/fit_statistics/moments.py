"""First and second moments of item scores under a model: expectation, sampling covariance, derivatives.

A feature is a number read off one answer: the score itself (M2*), or the indicator of one category (M2). The moments
are the means of the F features, then of the products of two features of different items, in the order of `pairs`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.families.base import UNIT_SLOPE
from thetaline.irt.item_batches import ItemBatch
from thetaline.irt.items import Items


@dataclass(frozen=True, eq=False)
class Features:
    """F features of I items at Q nodes; features of one item stand together, items in order."""

    item: Index  # (F,) whose feature it is
    mean: Array  # (F, Q) E[y_f | θ_q]
    left: Index  # (L,) with `right`: all ordered pairs of features of the same item, f = f' included
    right: Index
    excess: Array  # (L, Q) Cov(y_f, y_f' | θ_q)

    @cached_property
    def pairs(self) -> tuple[Index, Index]:
        """Features of two different items, the first item before the second."""
        first, second = np.triu_indices(self.item.size, 1)
        apart = self.item[first] != self.item[second]
        return first[apart], second[apart]

    @cached_property
    def place(self) -> Index:
        """(F, F) position of the moment of a pair; −1 for two features of one item."""
        first, second = self.pairs
        place = np.full((self.item.size, self.item.size), -1, dtype=np.intp)
        place[first, second] = place[second, first] = self.item.size + np.arange(first.size)
        return place

    @property
    def n_moments(self) -> int:
        """F + number of pairs."""
        return int(self.item.size + self.pairs[0].size)

    @cached_property
    def conditional(self) -> Array:
        """(S, Q) every moment given θ."""
        first, second = self.pairs
        return np.concatenate([self.mean, self.mean[first] * self.mean[second]])


def score_features(tables: list[Array]) -> Features:
    """One feature an item, its score 0 … K−1: the moments of M2* (Cai & Hansen 2013); of M2 when K = 2."""
    moments = [(np.arange(t.shape[0]) @ t, np.square(np.arange(t.shape[0])) @ t) for t in tables]
    mean, second = (np.array(part) for part in zip(*moments, strict=True))
    own = np.arange(len(tables))
    return Features(own, mean, own, own, second - mean**2)


def category_features(tables: list[Array]) -> Features:
    """Indicators of the categories 1 … K−1: the moments of M2 for ordinal items (Maydeu-Olivares & Joe 2006)."""
    mean = np.concatenate([t[1:] for t in tables])
    item = np.repeat(np.arange(len(tables)), [t.shape[0] - 1 for t in tables])
    left, right = np.nonzero(item[:, None] == item)
    together = np.where((left == right)[:, None], mean[left], 0.0)
    return Features(item, mean, left, right, together - mean[left] * mean[right])


def expected(features: Features, weights: Array) -> Array:
    """(S,) moments in a population with these weights at the nodes."""
    return features.conditional @ weights


def covariance(features: Features, weights: Array) -> Array:
    """(S, S) covariance of one person's moments.

    Var of the conditional expectation is one matrix product. To it comes the expectation of the conditional covariance,
    which is zero unless the two moments share an item, so that it is added item by item.
    """
    given = features.conditional
    mean = given @ weights
    total = (given * weights) @ given.T
    total -= np.outer(mean, mean)
    for f, g, excess in zip(features.left, features.right, features.excess, strict=True):
        rows, others = _moments_with(features, f)
        columns, _ = _moments_with(features, g)
        total[np.ix_(rows, columns)] += (others * (weights * excess)) @ others.T
    return _with_shared_pairs(total, features, weights)


def _moments_with(features: Features, f: int) -> tuple[Index, Array]:
    """Positions of the moments that contain feature f, and what stands beside f in each: 1 or another item's mean."""
    others = np.flatnonzero(features.item != features.item[f])
    beside = np.concatenate([np.ones((1, features.mean.shape[1])), features.mean[others]])
    return np.concatenate([[f], features.place[f, others]]), beside


def _with_shared_pairs(total: Array, features: Features, weights: Array) -> Array:
    """Moments that share both items: the product of their two conditional covariances is still to be added."""
    both = (features.excess * weights) @ features.excess.T
    one, other = np.nonzero(features.item[features.left][:, None] < features.item[features.left])
    rows = features.place[features.left[one], features.left[other]]
    columns = features.place[features.right[one], features.right[other]]
    total[rows, columns] += both[one, other]
    return total


def item_derivatives(features: Features, weights: Array, item: int, slopes: Array) -> Array:
    """(S, P) derivatives of the moments in P parameters of one item; `slopes` (P, f, Q) are those of its f features."""
    result = np.zeros((features.n_moments, slopes.shape[0]))
    others = np.flatnonzero(features.item != item)
    for f, slope in zip(np.flatnonzero(features.item == item), np.moveaxis(slopes, 1, 0), strict=True):
        weighted = slope * weights
        result[f] = weighted.sum(axis=1)
        result[features.place[f, others]] = features.mean[others] @ weighted.T
    return result


def population_derivatives(features: Features, weight_slopes: Array) -> Array:
    """(S, P) derivatives of the moments in P parameters of the population; `weight_slopes` (P, Q)."""
    return np.asarray(features.conditional @ weight_slopes.T)


def observed(values: Array, counts: Array, features: Features) -> Array:
    """(S,) moments of the data: `values` (N, F), `counts` (N,)."""
    first, second = features.pairs
    weighted = values * counts[:, None]
    products = values.T @ weighted
    total = np.concatenate([weighted.sum(axis=0), products[first, second]])
    return np.asarray(total / counts.sum(), dtype=np.float64)


def item_columns(items: Items, fixed: Mask, features: Features, nodes: Array, weights: Array) -> Array:
    """(S, P) for the free parameters of the items, in slope–intercept form; a slope that items share is one column."""
    columns: list[Array] = []
    shared: dict[str, Array] = {}
    for batch, row, slopes in _slopes(items, nodes):
        item = int(batch.index[row])
        if fixed[item]:
            continue
        derivatives = item_derivatives(features, weights, item, _by_feature(slopes, int(np.sum(features.item == item))))
        if tie := batch.family.shared_slope:
            shared[tie] = shared.get(tie, np.zeros((features.n_moments, 1))) + derivatives[:, :1]
            derivatives = derivatives[:, 1:]
        columns.append(derivatives)
    if fixed.any():
        # With anchors the scale is given: a unit slope is 1 and not an unknown.
        shared.pop(UNIT_SLOPE, None)
    return np.concatenate([*columns, *shared.values()], axis=1)


def _slopes(items: Items, nodes: Array) -> Iterator[tuple[ItemBatch, int, Array]]:
    """Derivatives of the category probabilities (P, K, Q) of every item."""
    for batch in items.batches():
        slopes = batch.family.d_log_prob(batch.free, nodes) * np.exp(batch.log_prob(nodes))[:, None]
        yield from ((batch, row, slopes[row]) for row in range(len(slopes)))


def _by_feature(slopes: Array, n_features: int) -> Array:
    """(P, K, Q) of the categories to (P, f, Q) of the item's features: its score alone, or the categories above 0."""
    n_categories = slopes.shape[1]
    if n_features == 1:
        return np.asarray(np.einsum("k,pkq->pq", np.arange(n_categories, dtype=np.float64), slopes)[:, None])
    return slopes[:, 1:]


def population_columns(features: Features, nodes: Array, weights: Array, mean: float, sd: float) -> Array:
    """(S, 2) for the mean and the sd of a normal population on fixed nodes."""
    z = (nodes - mean) / sd
    slopes = np.stack([z, z**2]) / sd * weights
    slopes -= slopes.sum(axis=1, keepdims=True) * weights
    return population_derivatives(features, slopes)
