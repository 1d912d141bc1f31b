"""Answers drawn from a model, for recovery tests, power studies and demonstrations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import InputError
from thetaline.irt._alignment import aligned, rows_beside
from thetaline.irt._arguments import check_kinds, generator, person_abilities
from thetaline.irt._matrix import cells_in_order
from thetaline.irt._types import Array, Categories, Index, Labelled, Mask
from thetaline.irt.category_codes import open_ranges
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses

BLOCK_CELLS = 1 << 22  # cells of persons × items whose order is drawn at a time: 32 MB
Design = tuple[Index, NDArray[np.int32]]  # indptr (N + 1,) and items (M,), ascending within a person


def simulate(
    items: Items,
    theta: Labelled,
    rng: np.random.Generator | int,
    *,
    n_answers: Labelled | None = None,
    mask: Any = None,
    persons: Iterable[Any] | None = None,
) -> Responses:
    """Draw the answers of N persons with abilities `theta` (N,) to the items of a bank.

    Who answers what: everybody everything; or `n_answers` (one number or (N,)) items a person, drawn at random without
    replacement; or `mask`, (N, I), true where an answer is observed.  `persons` are ids, default the labels of `theta`
    where it is a Series or a mapping, else 0 … N − 1; `theta`, `n_answers` and a data frame `mask` with labels go by
    them (its columns by item), arrays by position.

    Raises InputError for no abilities and for those that are not finite, for a design that does not fit or does not
    cover the persons, for two designs at once.
    """
    check_kinds(items=(items, Items))
    (ids, abilities), rng = person_abilities(theta, persons), generator(rng)
    if n_answers is not None:
        n_answers = aligned(n_answers, ids, "n_answers", rows=rows_beside(persons, len(ids)))
    if mask is not None:
        mask = cells_in_order(mask, ids, items.ids, "the mask")
    indptr, item = _design(len(abilities), len(items), rng, n_answers, mask)
    answer = _draw(items, np.repeat(abilities, np.diff(indptr)), item, rng)
    ranges = open_ranges(items.lowest)
    return Responses(ids, items.ids.copy(), indptr, item, answer, np.ones(len(abilities)), items.by_position, ranges)


def _draw(items: Items, theta: Array, item: NDArray[np.int32], rng: np.random.Generator) -> Categories:
    """One category an answer: how many cumulative probabilities lie below a uniform draw."""
    uniform, answer = rng.random(len(item)), np.empty(len(item), dtype=np.uint8)
    within = np.empty(len(items), dtype=np.intp)
    for part in items.batches():
        within[part.index] = np.arange(len(part.index))
        mine = np.flatnonzero(np.isin(item, part.index))
        for rows in np.array_split(mine, 1 + len(mine) * part.n_categories // BLOCK_CELLS):
            reached = np.cumsum(part.curves(within[item[rows]]).curve(theta[rows]).p[:, :-1], axis=1)
            answer[rows] = (uniform[rows, None] >= reached).sum(axis=1)
    return answer


def _design(n_persons: int, n_items: int, rng: np.random.Generator, n_answers: Any, mask: Any) -> Design:
    if n_answers is not None and mask is not None:
        raise InputError("give n_answers or mask, not both")
    if n_answers is not None:
        return _at_random(_counts(n_answers, n_persons, n_items), n_items, rng)
    observed = np.ones((n_persons, n_items), dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if observed.shape != (n_persons, n_items):
        raise InputError(f"the mask has the shape {observed.shape}; ({n_persons}, {n_items}) is needed")
    return _from_mask(observed)


def _counts(n_answers: ArrayLike, n_persons: int, n_items: int) -> Index:
    counts = np.asarray(n_answers)
    if counts.shape not in ((), (n_persons,)) or counts.dtype.kind not in "iu":
        raise InputError(f"n_answers must be one whole number or {n_persons} of them")
    if counts.min() < 0 or counts.max() > n_items:
        raise InputError(f"n_answers must lie in 0 … {n_items}, not {counts.min()} … {counts.max()}")
    return np.broadcast_to(counts, n_persons).astype(np.intp)


def _from_mask(observed: Mask) -> Design:
    indptr = np.concatenate([[0], np.cumsum(observed.sum(axis=1))])
    return indptr, np.nonzero(observed)[1].astype(np.int32)


def _at_random(counts: Index, n_items: int, rng: np.random.Generator) -> Design:
    """The items with a person's smallest random keys."""
    size = max(1, BLOCK_CELLS // n_items)
    chosen = []
    for start in range(0, len(counts), size):
        block = counts[start : start + size]
        rank = rng.random((len(block), n_items)).argsort(axis=1).argsort(axis=1)
        chosen.append(_from_mask(rank < block[:, None])[1])
    return np.concatenate([[0], np.cumsum(counts)]), np.concatenate(chosen)
