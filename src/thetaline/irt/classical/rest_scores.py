"""Scores of items and rest scores, also where not everybody answered every item."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array
from thetaline.irt.responses import Responses


class ItemScores(NamedTuple):
    """Every answer's score, its rest score and weight (M,); every item's highest category (I,).

    A rest score is the share of the points that the person got on the other items answered; NaN without any.  Where all
    answered all items it is the sum over the other items, on another scale.
    """

    score: Array
    rest: Array
    weight: Array
    full: Array


def item_scores(responses: Responses) -> ItemScores:
    """The full score of an item is the highest category that anybody gave."""
    full = np.zeros(responses.n_items)
    np.maximum.at(full, responses.item, responses.answer)
    score, most = responses.answer.astype(np.float64), full[responses.item]
    person, n = responses.person, responses.n_persons
    rest_points = np.bincount(person, score, n)[person] - score
    rest_most = np.bincount(person, most, n)[person] - most
    rest = np.divide(rest_points, rest_most, out=np.full(score.shape, np.nan), where=rest_most > 0)
    return ItemScores(score, rest, responses.counts[person], full)


class Moments(NamedTuple):
    """Of each item: weight of the answers, means, sums of squares and of products about the means; (I,) each."""

    n: Array
    mean_x: Array
    mean_y: Array
    xx: Array
    yy: Array
    xy: Array


def moments_by_item(item: NDArray[np.integer], x: Array, y: Array, weight: Array, n_items: int) -> Moments:
    """Of the answers whose x and y are finite."""
    seen = np.isfinite(x) & np.isfinite(y)
    item, x, y, weight = item[seen], x[seen], y[seen], weight[seen]
    n = weighted_sums(item, weight, n_items)
    mean_x, mean_y = (_means(weighted_sums(item, weight * values, n_items), n) for values in (x, y))
    dx, dy = x - mean_x[item], y - mean_y[item]
    sums = (weighted_sums(item, weight * product, n_items) for product in (dx * dx, dy * dy, dx * dy))
    return Moments(n, mean_x, mean_y, *sums)


def weighted_sums(place: NDArray[np.integer], weight: Array, n: int) -> Array:
    """(n,) sums of the weights (M,) at each place."""
    return np.bincount(place, weight, n).astype(np.float64)


def _means(sums: Array, n: Array) -> Array:
    out = np.full(n.shape, np.nan)
    np.divide(sums, n, out=out, where=n > 0)
    return out


def correlation(moments: Moments) -> Array:
    """(I,) NaN where x or y does not vary."""
    spread = moments.xx * moments.yy
    out = np.full(spread.shape, np.nan)
    np.divide(moments.xy, np.sqrt(spread), out=out, where=spread > 1e-12 * moments.n)
    return out
