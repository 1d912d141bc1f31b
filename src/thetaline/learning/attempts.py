"""The attempts of a cohort as one struct of arrays, and what is counted over it."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.learning._types import Array, Index, Int32s, Ints, Mask

UNKNOWN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Attempts:
    """M attempts, sorted by learner and, within a learner, by instant; learners and items are codes from 0.

    `UNKNOWN` (−1) is a value that was not recorded: `correct` (not answered), `time_ms`, `hint`.
    """

    learner: Int32s
    item: Int32s
    correct: NDArray[np.int8]
    day: Int32s
    time_ms: Int32s
    hint: NDArray[np.int8]
    session: Int32s
    n_learners: int

    def where(self, mask: Mask) -> "Attempts":
        """The attempts under an (M,) mask, in the same order; codes keep their meaning."""
        arrays: dict[str, Any] = {name: getattr(self, name)[mask] for name in _ARRAYS}
        return Attempts(**arrays, n_learners=self.n_learners)

    def answered(self) -> "Attempts":
        """Those with an answer: an unanswered question is missing, not wrong."""
        return self.where(self.correct != UNKNOWN)

    def per_learner(self, weights: NDArray[np.generic] | None = None) -> Array:
        """(n_learners,) number of attempts, or the sum of (M,) `weights`."""
        return np.bincount(self.learner, weights, self.n_learners).astype(np.float64)


_ARRAYS = [field.name for field in fields(Attempts) if field.name != "n_learners"]


def pair_key(left: Int32s, right: Int32s) -> Ints:
    """One number for each pair, in the order of `left`; a negative `right` comes after all others."""
    return left.astype(np.int64) << 32 | (right.astype(np.int64) & 0xFFFFFFFF)


def first_per_pair(left: Int32s, right: Int32s) -> Index:
    """Positions of the first row of each (left, right) pair, ascending."""
    return np.sort(np.unique(pair_key(left, right), return_index=True)[1])


def last_per_pair(left: Int32s, right: Int32s) -> Index:
    """Positions of the last row of each (left, right) pair, ascending."""
    return np.sort(left.size - 1 - first_per_pair(left[::-1], right[::-1]))


def share(part: Array, whole: Array) -> Array:
    """part / whole elementwise; NaN where the whole is 0: nothing known is not zero."""
    return np.asarray(np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0))


def median_per_group(values: NDArray[np.generic], group: Int32s, n_groups: int) -> Array:
    """(n_groups,) median of `values` in each group; NaN where a group has none."""
    order = np.lexsort((values, group))
    ordered = np.asarray(values[order], float)
    count = np.bincount(group, minlength=n_groups)
    start = np.concatenate(([0], np.cumsum(count)[:-1]))
    median = np.full(n_groups, np.nan)
    some = count > 0
    low, high = start[some] + (count[some] - 1) // 2, start[some] + count[some] // 2
    median[some] = (ordered[low] + ordered[high]) / 2
    return median
