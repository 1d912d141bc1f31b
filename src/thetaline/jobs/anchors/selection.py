"""Which items become anchors: stable ones with many answers, spread over the whole range of difficulty."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thetaline.jobs.arrays import Array, Index, Ints, Mask, Objects

VARIANCE_OF_B = 5.0  # times 1 / n: an item with a = 1 in the middle of the abilities, n answers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PublishedItems:
    """What is known of each published item, (I,); `move` is the range of b over the last runs. NaN is unknown."""

    item_ids: Objects
    a: Array
    b: Array
    se_b: Array
    n_answers: Ints
    move: Array
    anchored: Mask
    has_question: Mask
    retired: Mask  # as an anchor, by a person, who alone can take that back
    unseen: Mask  # by the last published runs: withdrawn, or hardly answered any more
    reversed: Mask  # runs backwards by the answers of its run

    @property
    def in_use(self) -> Mask:
        """(I,) the anchors that still link."""
        return self.anchored & ~self.unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorCriteria:
    """What a new anchor must satisfy, and how many anchors there should be."""

    count: int
    min_answers: int
    a_min: float
    a_max: float
    max_move: float


def rejection_reasons(items: PublishedItems, criteria: AnchorCriteria) -> NDArray[np.str_]:
    """(I,) the reason why an item cannot become an anchor, "" for a candidate."""
    conditions = [
        items.anchored,
        ~items.has_question,
        items.retired,
        items.unseen,
        items.reversed,
        items.n_answers < criteria.min_answers,
        ~(items.a >= criteria.a_min),
        ~(items.a <= criteria.a_max),
        items.move > criteria.max_move,
    ]
    named = [
        "anchor already",
        "no row in question",
        "retired as an anchor",
        "not in the last published runs",
        "runs backwards: check the key",
        f"fewer than {criteria.min_answers} answers",
        f"a below {criteria.a_min:g}",
        f"a above {criteria.a_max:g}",
        f"b moved by more than {criteria.max_move:g} over the last runs",
    ]
    return np.select(conditions, named, default="")


def strata(b: Array, n_strata: int) -> Index:
    """(I,) the quantile stratum of each difficulty, 0 the easiest; equal numbers of items, ties broken by position."""
    rank = np.empty(b.size, dtype=np.intp)
    rank[np.argsort(b, kind="stable")] = np.arange(b.size)
    return rank * n_strata // max(b.size, 1)


def n_strata(count: int, n_items: int) -> int:
    """As many strata as leave room for five anchors in each, between 3 and 10, never more than items."""
    return max(1, min(max(3, min(10, count // 5)), n_items))


def select(items: PublishedItems, criteria: AnchorCriteria) -> Index:
    """Positions of the new anchors, easiest first: strata take turns, each gives its most stable candidate first.

    Anchors in use count in their stratum, so that a second call only tops up; a stratum without candidates leaves its
    share to the others. Stable means many answers and a small `move`, added as variances. The estimated se(b) is not
    used: it is small where a came out too large by chance, and such anchors pull the next link's A below its true
    value.
    """
    stratum = strata(items.b, n_strata(criteria.count, items.b.size))
    candidates = np.flatnonzero(rejection_reasons(items, criteria) == "")
    instability = VARIANCE_OF_B / np.maximum(items.n_answers, 1) + np.nan_to_num(items.move) ** 2
    filled = np.bincount(stratum[items.in_use], minlength=int(stratum.max(initial=0)) + 1)
    round_ = _rounds(stratum[candidates], instability[candidates], filled)
    wanted = max(0, criteria.count - int(items.in_use.sum()))
    order = np.lexsort((instability[candidates], round_))
    chosen = candidates[order[:wanted]]
    return chosen[np.argsort(items.b[chosen], kind="stable")]


def _rounds(stratum: Index, instability: Array, filled: Index) -> Index:
    """(C,) the round in which a candidate is taken: its rank in its stratum, after the anchors already there."""
    order = np.lexsort((instability, stratum))
    first = np.searchsorted(stratum[order], stratum[order], side="left")
    round_ = np.empty(stratum.size, dtype=np.intp)
    round_[order] = np.arange(stratum.size) - first
    return round_ + filled[stratum]
