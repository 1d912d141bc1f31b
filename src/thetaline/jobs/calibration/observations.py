"""The answers of a calibration window as one frozen value of arrays."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from thetaline.jobs.arrays import Index, Int32s, Ints, Mask, Objects
from thetaline.learning.attempts import pair_key


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """M answers of N learners to I items; `user` and `item` are positions in the two lists of ids.

    One answer for each (learner, item): the contract's `observations`, with each id once.
    """

    user_ids: Objects  # (N,) text
    item_ids: Objects  # (I,) text
    user: Int32s  # (M,)
    item: Int32s  # (M,)
    correct: NDArray[np.uint8]  # (M,) 0 or 1
    responded_at: NDArray[np.datetime64]  # (M,) microseconds, UTC

    @property
    def n_answers(self) -> int:
        """M."""
        return int(self.item.size)

    def answers_per_item(self) -> Ints:
        """(I,) counts."""
        return np.bincount(self.item, minlength=self.item_ids.size).astype(np.int64)

    def answers_per_user(self) -> Ints:
        """(N,) counts."""
        return np.bincount(self.user, minlength=self.user_ids.size).astype(np.int64)

    def without_items(self, item_ids: Objects) -> Self:
        """These answers without some items; `user_ids` stays as it is."""
        keep_item = ~np.isin(self.item_ids.astype(str), item_ids.astype(str))
        keep = keep_item[self.item]
        position = np.cumsum(keep_item, dtype=np.int32) - np.int32(1)
        return replace(
            self,
            item_ids=self.item_ids[keep_item],
            user=self.user[keep],
            item=position[self.item[keep]],
            correct=self.correct[keep],
            responded_at=self.responded_at[keep],
        )

    def connected_parts(self) -> int:
        """Number of connected components of the graph of answers; the scales of two components cannot be compared."""
        n_items = self.item_ids.size
        n_nodes = n_items + self.user_ids.size
        edges = (np.ones(self.item.size, np.int8), (self.item, n_items + self.user))
        _, part = csgraph.connected_components(sparse.coo_array(edges, shape=(n_nodes, n_nodes)), directed=False)
        return int(np.unique(part[self.item]).size)


@dataclass(frozen=True, slots=True, eq=False)
class FirstAnswers:
    """Which rows of a window count: positions (M,), and how many others there were."""

    rows: Index
    n_repeats: int
    n_contradictory: int


def first_answers(
    learner: Int32s,
    item: Int32s,
    *,
    answered_at: NDArray[np.datetime64],
    ordinal: Int32s,
    correct: Mask,
) -> FirstAnswers:
    """The first answer of each (learner, item): by instant, then place in the exam, then wrong before correct.

    The last rule decides between sessions of one instant, so that the order of the rows does not matter. An answer is
    contradictory when another one of the same pair and instant is correct where it is wrong, or the reverse.
    """
    pair = pair_key(learner, item)
    order = np.lexsort((ordinal.astype(np.int64) << 1 | correct, answered_at.astype(np.int64), pair))
    pair, at, verdict = pair[order], answered_at[order], correct[order]
    starts = np.r_[True, pair[1:] != pair[:-1]][: pair.size]
    first = np.flatnonzero(starts)
    owner = first[np.cumsum(starts) - 1]
    contradicts = (at == at[owner]) & (verdict != verdict[owner])
    n_contradictory = np.unique(owner[contradicts]).size
    return FirstAnswers(order[first], int(pair.size - first.size), int(n_contradictory))


def newest(answered_at: NDArray[np.datetime64], most: int) -> Index:
    """(min(M, most),) positions of the newest, in their old order; 0 is no limit. Of one instant the last stay."""
    if most == 0 or answered_at.size <= most:
        return np.arange(answered_at.size)
    return np.sort(np.argsort(answered_at, kind="stable")[-most:])
