"""One order of persons and items that depends on what was answered, not on how the rows came in.

Sums in floating point depend on their order; with this one, results do not.  The order of persons is that of a hash of
their answers, which makes it pseudo-random too: any leading part of the persons is a fair sample of them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thetaline.irt.responses import Responses

CHUNK = 1 << 20  # answers looked at together: 8 MB of hashes
Ints = NDArray[np.int64]


def item_order(responses: Responses) -> NDArray[np.intp]:
    """Return the items' positions by number of answers, sum, agreement with the persons' sums, and id."""
    n = np.bincount(responses.item, minlength=responses.n_items)
    total = np.zeros(responses.n_items)
    agreement = np.zeros(responses.n_items)
    for rows, span in person_chunks(responses.indptr):
        item, answer = responses.item[span], responses.answer[span].astype(np.float64)
        weights = np.repeat(responses.counts[rows], np.diff(responses.indptr[rows.start : rows.stop + 1]))
        total += np.bincount(item, weights * answer, minlength=responses.n_items)
        person = np.repeat(np.arange(rows.stop - rows.start), np.diff(responses.indptr[rows.start : rows.stop + 1]))
        sums = np.bincount(person, answer)[person]
        agreement += np.bincount(item, weights * answer * sums, minlength=responses.n_items)
    by_id = sorted(
        range(responses.n_items), key=lambda k: (str(type(responses.item_ids[k])), str(responses.item_ids[k]))
    )
    rank_of_id = np.empty(responses.n_items, dtype=np.int64)
    rank_of_id[by_id] = np.arange(responses.n_items)
    return np.lexsort((rank_of_id, agreement, total, n))


def pattern_hashes(responses: Responses, code_start: Ints) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each person's answers: the sum modulo 2^64 of one random number a (item, category).

    `code_start` (I,) is the first category code of each item.  Two different patterns share a hash with probability
    2^-64, for ten million patterns 3e-6 overall.
    """
    n_codes = int(code_start.max()) + int(np.iinfo(np.uint8).max) + 1
    keys = np.random.default_rng(20_251_102).integers(0, 2**64, n_codes, dtype=np.uint64)
    out = np.zeros(responses.n_persons, dtype=np.uint64)
    for rows, span in person_chunks(responses.indptr):
        starts = responses.indptr[rows] - span.start
        some = np.diff(responses.indptr[rows.start : rows.stop + 1]) > 0
        drawn = keys[code_start[responses.item[span]] + responses.answer[span]]
        out[rows][some] = np.add.reduceat(drawn, starts[some]) if some.any() else 0
    return out


def person_chunks(indptr: Ints) -> Iterator[tuple[slice, slice]]:
    """Walk over the persons so that about CHUNK answers come together: (rows, answers)."""
    n = len(indptr) - 1
    start = 0
    while start < n:
        stop = int(np.searchsorted(indptr, indptr[start] + CHUNK, side="right")) - 1
        stop = min(n, max(stop, start + 1))
        yield slice(start, stop), slice(int(indptr[start]), int(indptr[stop]))
        start = stop
