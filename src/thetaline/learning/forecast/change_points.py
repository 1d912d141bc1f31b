"""Where the level of a series changed and stayed, against what its walk would do by itself."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from thetaline.learning._types import Array, Ints, Mask
from thetaline.learning.forecast.kalman import DAMPING, OUTLIER_Z, Filtered
from thetaline.learning.forecast.student_t import two_sided

# Of series in which nothing changed 2 to 4 % have a change up to a year of weeks, 6 % over two years where half of the
# learners walk, more than the shared variance says, and half stand still.
LARGEST_P = 0.035
MIN_AFTER = 2  # known weeks from the change on: one alone is an outlier
MIN_BEFORE = 2
NO_CHANGE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """(N,) each: the week from which on the level is another, or `NO_CHANGE`; size on the model's scale; p."""

    week: Ints
    size: Array
    p: Array

    @property
    def found(self) -> Mask:
        """(N,) whether there is one."""
        return np.asarray(self.week != NO_CHANGE)


def change_points(found: Filtered, known: Mask, dof: float) -> Changes:
    """The likeliest week of one lasting shift in each series, where p, corrected for the weeks tried, is small.

    A shift leaves a trace in the one-step errors that the filter's gains determine; its size is their regression on
    it (de Jong & Penzer 1998). Errors are cut off at three standard errors, so that one odd week is no change.
    """
    n = len(known)
    scale = np.sqrt(found.state.scale2(dof))
    u = np.clip(np.where(known, found.z, 0.0) / scale[:, None], -OUTLIER_Z, OUTLIER_Z)
    weight = np.where(known, 1 / np.sqrt(found.variance), 0.0)
    best, size = np.zeros(n), np.zeros(n)
    week, n_tried = np.full(n, NO_CHANGE, np.int64), np.zeros(n, np.int64)
    for start, can in _starts(known):
        trace = weight[:, start:] * _trace(found, start)
        norm = np.where(can, np.square(trace).sum(axis=1), 1.0)
        product = (trace * u[:, start:]).sum(axis=1)
        t = np.where(can, product / np.sqrt(norm), 0.0)
        n_tried += can
        better = np.abs(t) > np.abs(best)
        best, week = np.where(better, t, best), np.where(better, start, week)
        size = np.where(better, product / norm * scale, size)
    p = np.where(n_tried > 0, 1 - (1 - two_sided(best, found.state.dof(dof))) ** n_tried, np.nan)  # Šidák (1967)
    week = np.where(p <= LARGEST_P, week, NO_CHANGE)
    return Changes(week, np.where(week == NO_CHANGE, np.nan, size), p)


def _starts(known: Mask) -> Iterator[tuple[int, Mask]]:
    """Each week but the first, with the series (N,) that can have changed there."""
    before = np.cumsum(known, axis=1)
    for start in range(1, known.shape[1]):
        enough = (before[:, start - 1] >= MIN_BEFORE) & (before[:, -1] - before[:, start - 1] >= MIN_AFTER)
        yield start, known[:, start] & enough


def _trace(found: Filtered, start: int) -> Array:
    """(N, T − start) errors of the forecasts of a level that is higher by 1 from a week on."""
    n, weeks = found.z.shape
    level, slope, trace = np.zeros(n), np.zeros(n), np.empty((weeks - start, n))
    for week in range(start, weeks):
        error = 1.0 - level
        trace[week - start] = error
        level = level + found.level_gain[:, week] * error
        slope = DAMPING * (slope + found.slope_gain[:, week] * error)
        level = level + slope
    return trace.T
