"""One order of persons and items that depends on what was answered, not on how the rows came in.

Sums in floating point depend on their order; with this one, results do not.  The order of persons is that of a hash of
their answers, which makes it pseudo-random too: any leading part of the persons is a fair sample of them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array, Index, Ints, Mask
from thetaline.irt.category_codes import declared_widths
from thetaline.irt.responses import Responses

CHUNK = 1 << 20  # answers looked at together: 8 MB of hashes
SEED = 20_251_102  # of the hash; any number does


def category_counts(responses: Responses) -> Array:
    """Return the number of answers by item and category, (I, K), patterns by their frequency; K is at least 2."""
    declared = int(declared_widths(responses.ranges, responses.n_items).max(initial=2))
    k = max(2, int(responses.answer.max()) + 1, declared)
    out = np.zeros(responses.n_items * k)
    plain = bool((responses.counts == 1).all())
    for rows, span in person_chunks(responses.indptr):
        flat = responses.item[span] * np.int64(k) + responses.answer[span]
        weights = None if plain else np.repeat(responses.counts[rows], _lengths(responses, rows))
        out += np.bincount(flat, weights, minlength=out.size)
    return out.reshape(responses.n_items, k)


def item_order(responses: Responses, counts: Array) -> Index:
    """Return the items' positions by number of answers, sum, agreement with the persons' sums, and id.

    `counts` (I, K) are the category counts.  The agreement is looked at only where the first two do not decide.
    """
    n, total = counts.sum(axis=1), counts @ np.arange(counts.shape[1])
    first = np.lexsort((total, n))
    tied = (np.diff(n[first]) == 0) & (np.diff(total[first]) == 0)
    if not tied.any():
        return first
    undecided = np.zeros(len(first), dtype=bool)
    undecided[first[1:][tied]] = undecided[first[:-1][tied]] = True
    return np.lexsort((_rank_of_ids(responses), _agreement(responses, undecided), total, n))


def _agreement(responses: Responses, wanted: Mask) -> Array:
    """Sum over persons of answer times person's sum, for the wanted items: whole numbers, exact in any order."""
    out = np.zeros(responses.n_items)
    for rows, span in person_chunks(responses.indptr):
        item, answer = responses.item[span], responses.answer[span]
        before = np.concatenate([[0], np.cumsum(answer, dtype=np.int64)])
        pointers = responses.indptr[rows.start : rows.stop + 1] - span.start
        at = np.flatnonzero(wanted[item])
        person = np.searchsorted(pointers, at, side="right") - 1
        sums = before[pointers[person + 1]] - before[pointers[person]]
        weighted = answer[at] * sums * responses.counts[rows][person]
        out += np.bincount(item[at], weighted, minlength=responses.n_items)
    return out


def _rank_of_ids(responses: Responses) -> Ints:
    ids = responses.item_ids
    by_id = sorted(range(len(ids)), key=lambda k: (str(type(ids[k])), str(ids[k])))
    rank = np.empty(len(ids), dtype=np.int64)
    rank[by_id] = np.arange(len(ids))
    return rank


def pattern_hashes(responses: Responses, order: Index) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each person's answers: the sum modulo 2^64 of one random number an item times answer + 1.

    Two different patterns share a hash with probability 2^-63 or so, ten million patterns two of them with 1e-5.
    """
    keys = np.empty(responses.n_items, dtype=np.uint64)
    keys[order] = np.random.default_rng(SEED).integers(0, 2**64, responses.n_items, dtype=np.uint64) | np.uint64(1)
    out = np.zeros(responses.n_persons, dtype=np.uint64)
    for rows, span in person_chunks(responses.indptr):
        drawn = keys[responses.item[span]]
        drawn += drawn * responses.answer[span]
        some = _lengths(responses, rows) > 0
        if some.any():
            out[rows][some] = np.add.reduceat(drawn, (responses.indptr[rows] - span.start)[some])
    return out


def _lengths(responses: Responses, rows: slice) -> Ints:
    return np.diff(responses.indptr[rows.start : rows.stop + 1])


def person_chunks(indptr: Ints) -> Iterator[tuple[slice, slice]]:
    """Walk over the persons so that about CHUNK answers come together: (rows, answers)."""
    n = len(indptr) - 1
    start = 0
    while start < n:
        stop = int(np.searchsorted(indptr, indptr[start] + CHUNK, side="right")) - 1
        stop = min(n, max(stop, start + 1))
        yield slice(start, stop), slice(int(indptr[start]), int(indptr[stop]))
        start = stop
