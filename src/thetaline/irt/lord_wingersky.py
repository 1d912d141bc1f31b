"""Distribution of the sum score given θ for items of any number of categories (Lord & Wingersky 1984; Hanson 1994).

A table is (S, Q): row s holds P(sum score = s | θ_q). Two tables of disjoint items combine by convolution over rows.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.items import Items


def category_tables(items: Items, theta: Array) -> list[Array]:
    """P(X_i = k | θ) of every item as a list of (K_i, Q) tables."""
    table, edges = np.exp(items.log_prob(theta)), items.offsets
    return [table[edges[i] : edges[i + 1]] for i in range(items.n_items)]


def convolve(left: Array, right: Array) -> Array:
    """Distribution of the sum of two independent scores at every θ: (S, Q) and (T, Q) to (S + T − 1, Q)."""
    long, short = (left, right) if left.shape[0] >= right.shape[0] else (right, left)
    total = np.zeros((long.shape[0] + short.shape[0] - 1, long.shape[1]))
    for score, probability in enumerate(short):
        total[score : score + long.shape[0]] += long * probability
    return total


def sum_score_table(tables: Sequence[Array]) -> Array:
    """P(sum score = s | θ_q) over all items, (S, Q)."""
    n_nodes = tables[0].shape[1] if tables else 1
    total = np.ones((1, n_nodes))
    for table in tables:
        total = convolve(total, table)
    return total


def rest_score_tables(tables: Sequence[Array]) -> Iterator[Array]:
    """For each item in order, P(sum score of all the other items = s | θ_q).

    Halving the items and handing each half the score of the other takes I log I convolutions; leaving items out one
    by one takes I², and dividing an item out again loses digits where its probabilities are small.
    """
    n_nodes = tables[0].shape[1] if tables else 1
    yield from _leave_one_out(tables, np.ones((1, n_nodes)))


def _leave_one_out(tables: Sequence[Array], outside: Array) -> Iterator[Array]:
    if len(tables) <= 1:
        yield from [outside] * len(tables)
        return
    half = len(tables) // 2
    left, right = tables[:half], tables[half:]
    yield from _leave_one_out(left, _absorb(outside, right))
    yield from _leave_one_out(right, _absorb(outside, left))


def _absorb(outside: Array, tables: Sequence[Array]) -> Array:
    for table in tables:
        outside = convolve(outside, table)
    return outside
