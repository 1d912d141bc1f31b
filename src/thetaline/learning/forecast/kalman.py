"""A Kalman filter for many short series at once: a level that walks, with a damped trend, seen with known error.

level[t] = level[t−1] + slope[t], slope[t] = φ slope[t−1] + ζ, each walk with its own variance; y[t] = level[t] + ε
with the known sampling variance of that week and one that all series share (Durbin & Koopman 2012, ch. 3 and 4). A
missing week is a step without an update. What lies further out than three standard errors of prediction is given the
variance at which it would lie at three, so that an outlier moves the level only so far. Each series has a scale of
its own, inverse gamma around 1 with `dof` degrees of freedom (West & Harrison 1997, sec. 4.5), so that forecasts
are t distributions and a restless learner raises no alarm for being so.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.learning._types import Array, Ints, Mask

DAMPING = 0.9  # φ: a trend halves in 6.6 weeks
OUTLIER_Z = 3.0


class TrendVariances(NamedTuple):
    """Of level and slope in the first week (mean and variance), of their walks, and of the shared noise."""

    level: float
    level_variance: float
    slope: float
    slope_variance: float
    level_walk: float
    slope_walk: float
    noise: float


@dataclass(slots=True, eq=False)
class State:
    """Mean and covariance of (level, slope), (N,) each, with the evidence on each series' scale."""

    level: Array
    slope: Array
    p11: Array
    p12: Array
    p22: Array
    n: Ints  # values that have spoken on the scale
    squares: Array  # Σ z² of them

    @classmethod
    def before(cls, n_series: int, v: TrendVariances) -> "State":
        """Of all series before their first value."""
        constants = (v.level, v.slope, v.level_variance, 0.0, v.slope_variance)
        level, slope, p11, p12, p22 = (np.full(n_series, one) for one in constants)
        return cls(level, slope, p11, p12, p22, np.zeros(n_series, np.int64), np.zeros(n_series))

    def dof(self, dof: float) -> Array:
        """(N,) degrees of freedom of the next forecast."""
        return np.asarray(dof + self.n)

    def scale2(self, dof: float) -> Array:
        """(N,) squared scale of the series, 1 before anything is known."""
        if np.isinf(dof):
            return np.ones(self.n.size)
        return np.asarray((dof + self.squares) / (dof + self.n))

    def advance(self, v: TrendVariances, begun: Array | float = 1.0) -> None:
        """One week on, for series that have begun (1.0); the others (0.0) wait."""
        phi = 1.0 - begun * (1.0 - DAMPING)
        self.slope = phi * self.slope
        self.level = self.level + begun * self.slope
        p12, p22 = phi * self.p12, phi * phi * self.p22
        self.p11 = self.p11 + begun * (2 * p12 + p22 + v.level_walk)
        self.p12 = p12 + begun * p22
        self.p22 = p22 + begun * v.slope_walk

    def update(self, error: Array, level_gain: Array, slope_gain: Array) -> None:
        """The week's values; gains of 0 where there are none."""
        self.level = self.level + level_gain * error
        self.slope = self.slope + slope_gain * error
        self.p22 = self.p22 - slope_gain * self.p12
        self.p12 = self.p12 * (1 - level_gain)
        self.p11 = self.p11 * (1 - level_gain)

    def learn_scale(self, squares: Array, seen: Mask) -> None:
        """z² of the series that were seen."""
        self.n = self.n + seen
        self.squares = self.squares + np.where(seen, squares, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Filtered:
    """One-step-ahead forecasts of each week, (N, T) each; `state` is the one after the last."""

    mean: Array
    variance: Array  # of the prediction at scale 1
    scale2: Array
    dof: Array
    z: Array  # error / √variance; NaN where the week is missing
    level_gain: Array  # what of an error goes into the level
    slope_gain: Array
    state: State


def run_filter(y: Array, sampling: Array, known: Mask, v: TrendVariances, *, dof: float = np.inf) -> Filtered:
    """Of N series over T weeks; `sampling` (N, T) are known variances, looked at where `known`.

    A series begins with its first known week. The first value says nothing of the series' scale: it lies where its
    learner does among all.
    """
    n, weeks = y.shape
    state, begun = State.before(n, v), np.zeros(n, bool)
    rows = [np.empty((weeks, n)) for _ in range(7)]
    for week in range(weeks):
        if week:
            state.advance(v, begun.astype(float))
        seen = known[:, week]
        error = np.where(seen, y[:, week] - state.level, 0.0)
        variance = state.p11 + np.where(seen, sampling[:, week], 0.0) + v.noise
        scale2 = state.scale2(dof)
        outlying = np.square(error) / (OUTLIER_Z**2 * scale2)
        level_gain, slope_gain = (seen * part / np.maximum(variance, outlying) for part in (state.p11, state.p12))
        told = (state.level, variance, scale2, state.dof(dof), error / np.sqrt(variance), level_gain, slope_gain)
        for row, values in zip(rows, told, strict=True):
            row[week] = values
        state.update(error, level_gain, slope_gain)
        state.learn_scale(np.minimum(np.square(error) / variance, OUTLIER_Z**2 * scale2), seen & begun)
        begun |= seen
    mean, variance, scale2, degrees, z, level_gain, slope_gain = (row.T for row in rows)
    return Filtered(mean, variance, scale2, degrees, np.where(known, z, np.nan), level_gain, slope_gain, state)
