"""Which items should carry the scale: precise and stable ones, spread over the whole range of difficulty."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

VARIANCE_OF_B = 5.0  # times 1 / n: an item with a = 1 in the middle of the abilities, n answers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bank:
    """The published items, (I,) each; NaN where `se_b` or `move`, the range of b over the last runs, is unknown."""

    item_ids: NDArray[np.object_]
    a: Vector
    b: Vector
    se_b: Vector
    n_answers: NDArray[np.int64]
    move: Vector
    anchored: NDArray[np.bool_]
    has_question: NDArray[np.bool_]
    retired: NDArray[np.bool_]  # by a person: no anchor again unless a person says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What an anchor must be like."""

    count: int
    min_answers: int
    a_min: float
    a_max: float
    max_move: float


def refusals(bank: Bank, wishes: Wishes) -> NDArray[np.str_]:
    """(I,) why an item cannot become an anchor now, "" for a candidate."""
    conditions = [
        bank.anchored,
        ~bank.has_question,
        bank.retired,
        bank.n_answers < wishes.min_answers,
        ~(bank.a >= wishes.a_min),
        ~(bank.a <= wishes.a_max),
        bank.move > wishes.max_move,
    ]
    named = [
        "anchor already",
        "no row in question",
        "retired as an anchor",
        f"fewer than {wishes.min_answers} answers",
        f"a below {wishes.a_min:g}",
        f"a above {wishes.a_max:g}",
        f"b moved by more than {wishes.max_move:g} over the last runs",
    ]
    return np.select(conditions, named, default="")


def strata(b: Vector, n_strata: int) -> NDArray[np.intp]:
    """(I,) the quantile stratum of each difficulty, 0 the easiest; equal numbers of items, ties broken by position."""
    rank = np.empty(b.size, dtype=np.intp)
    rank[np.argsort(b, kind="stable")] = np.arange(b.size)
    return rank * n_strata // max(b.size, 1)


def n_strata(count: int, n_items: int) -> int:
    """As many strata as leave room for five anchors in each, between 3 and 10, never more than items."""
    return max(1, min(max(3, min(10, count // 5)), n_items))


def select(bank: Bank, wishes: Wishes) -> NDArray[np.intp]:
    """Positions of the new anchors, easiest first: strata are filled in turn, each with its steadiest items first.

    A stratum's present anchors count as filled, so a second call only tops up; one that runs out of candidates leaves
    its share to the others. Steadiest first means: many answers and small move between runs, added as variances. The
    estimated se(b) is not asked: it is small where a came out too large by chance, and a bank of such anchors pulls the
    next link's A below its true value.
    """
    stratum = strata(bank.b, n_strata(wishes.count, bank.b.size))
    candidates = np.flatnonzero(refusals(bank, wishes) == "")
    unsteady = VARIANCE_OF_B / np.maximum(bank.n_answers, 1) + np.nan_to_num(bank.move) ** 2
    filled = np.bincount(stratum[bank.anchored], minlength=int(stratum.max(initial=0)) + 1)
    turn = _turns(stratum[candidates], unsteady[candidates], filled)
    wanted = max(0, wishes.count - int(bank.anchored.sum()))
    order = np.lexsort((unsteady[candidates], turn))
    chosen = candidates[order[:wanted]]
    return chosen[np.argsort(bank.b[chosen], kind="stable")]


def _turns(stratum: NDArray[np.intp], unsteady: Vector, filled: NDArray[np.intp]) -> NDArray[np.intp]:
    """(C,) the round in which a candidate's turn comes: its rank in its stratum, after the anchors already there."""
    order = np.lexsort((unsteady, stratum))
    first = np.searchsorted(stratum[order], stratum[order], side="left")
    turn = np.empty(stratum.size, dtype=np.intp)
    turn[order] = np.arange(stratum.size) - first
    return turn + filled[stratum]
