"""Which items may serve as anchors: test, drop what fails, test again, until the set stays as it is."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Mask

MAX_ROUNDS = 20


class Purified(NamedTuple):
    """The anchors at the end, the tests made with them, and how the search ended."""

    anchors: Mask  # (I,)
    p: Array  # (I,)
    rounds: int
    settled: bool  # the last round changed nothing


def purify(test: Callable[[Mask], Array], start: Mask, *, alpha: float, least: int) -> Purified:
    """Repeat `test(anchors) -> p` with the items of p ≥ alpha as the next anchors.

    At least `least` anchors are kept: those with the largest p. A set that was seen before ends the search unsettled:
    two items would take turns for ever.
    """
    anchors, seen = start, set()
    for rounds in range(1, MAX_ROUNDS + 1):
        p = test(anchors)
        chosen = _largest(p, alpha=alpha, least=least)
        if np.array_equal(chosen, anchors):
            return Purified(anchors, p, rounds, settled=True)
        if chosen.tobytes() in seen:
            break
        seen.add(chosen.tobytes())
        anchors = chosen
    return Purified(anchors, test(anchors), rounds, settled=False)


def _largest(p: Array, *, alpha: float, least: int) -> Mask:
    """Items with p ≥ alpha (an undefined p is not evidence for an anchor), or the `least` best when they are fewer."""
    known = np.nan_to_num(p, nan=-1.0)
    chosen = known >= alpha
    if chosen.sum() < least:
        chosen = np.zeros(p.size, dtype=bool)
        chosen[np.argsort(-known, kind="stable")[:least]] = True
    return chosen
