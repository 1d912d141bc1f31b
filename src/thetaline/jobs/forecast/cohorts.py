"""Series of classrooms and of everybody, from those of their learners."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thetaline.jobs.arrays import Array, Int32s

MIN_LEARNERS = 5  # of a classroom; the mean of fewer is hardly more than a learner's value
NO_COHORT = -1


@dataclass(frozen=True, slots=True, eq=False)
class Cohorts:
    """C cohorts, everybody first (None); `code` (N,) is each learner's classroom, from 1 on, or `NO_COHORT`."""

    names: tuple[str | None, ...]
    code: Int32s

    def sums(self, values: Array) -> Array:
        """(N, T) -> (C, T)."""
        found = np.zeros((len(self.names), values.shape[1]))
        found[0] = values.sum(axis=0)
        inside = self.code != NO_COHORT
        np.add.at(found, self.code[inside], values[inside])
        return found

    def weighted(self, values: Array, weights: Array) -> tuple[Array, Array]:
        """(C, T) means by weight over the known values, and the sums of the weights; NaN where nothing is known."""
        known = np.isfinite(values)
        weight = self.sums(np.where(known, weights, 0.0))
        total = self.sums(np.where(known, values * weights, 0.0))
        some = weight > 0
        weight = np.where(some, weight, np.nan)
        return total / weight, weight

    def means(self, values: Array) -> tuple[Array, Array]:
        """(C, T) means of the known values, and their standard errors from the spread inside a cohort's weeks."""
        mean, n = self.weighted(values, np.ones_like(values))
        squares = self.sums(np.square(np.nan_to_num(values))) - np.nan_to_num(n * np.square(mean))
        degrees = np.nansum(n - 1, axis=1)
        variance = np.full(degrees.size, np.nan)
        np.divide(squares.sum(axis=1), degrees, out=variance, where=degrees > 0)
        return mean, np.sqrt(np.maximum(variance, 0.0)[:, None] / n)


def cohorts_of(classrooms: Sequence[str | None]) -> Cohorts:
    """Everybody and each classroom of at least five of the learners."""
    given = [one or "" for one in classrooms]
    names, counts = np.unique(np.array(given, np.str_), return_counts=True)
    kept = [name for name, count in zip(names.tolist(), counts.tolist(), strict=True) if name and count >= MIN_LEARNERS]
    code = {name: number for number, name in enumerate(kept, start=1)}
    return Cohorts((None, *kept), np.array([code.get(one, NO_COHORT) for one in given], np.int32))
