"""Derivatives of item moments in everything that a calibration estimated."""

from collections.abc import Iterator

import numpy as np

from thetaline.irt._types import Array, Mask
from thetaline.irt.fit_statistics.moments import Features, item_derivatives, population_derivatives
from thetaline.irt.items import ItemBatch, Items


def item_columns(items: Items, fixed: Mask, features: Features, nodes: Array, weights: Array) -> Array:
    """(S, P) for the free parameters of the items, in slope–intercept form; a slope that items share is one column."""
    columns: list[Array] = []
    shared: dict[str, Array] = {}
    for batch, row, slopes in _slopes(items, nodes):
        item = int(batch.index[row])
        if fixed[item]:
            continue
        derivatives = item_derivatives(features, weights, item, _by_feature(slopes, int(np.sum(features.item == item))))
        if batch.family.tied:
            tie = "unit" if batch.family.unit else batch.family.name
            shared[tie] = shared.get(tie, np.zeros((features.n_moments, 1))) + derivatives[:, :1]
            derivatives = derivatives[:, 1:]
        columns.append(derivatives)
    if fixed.any():
        # With anchors the scale is given: a unit slope is 1 and not an unknown.
        shared.pop("unit", None)
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
