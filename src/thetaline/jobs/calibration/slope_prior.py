"""The prior on slopes, estimated from the answers: log a ~ N(centre, spread²), a density of log a.

A centre that is guessed moves the whole scale: slopes that are pressed towards it are made up for by the population.
Here the centre is that of the estimates themselves, so that the prior is indifferent to the scale, and b is left to the
answers for the same reason.  The mode of many slopes with few answers each lies too high (Neyman & Scott, 1948); the
centre is therefore that of the marginal likelihood, items integrated out by Laplace's method (Tierney & Kadane, 1986).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thetaline import irt
from thetaline.jobs.arrays import Array, Mask

START = (0.0, 0.4)
SPREADS = (0.15, 0.6)  # of log a in real banks; few items say little about it
SETTLED = 0.005  # of the centre, a tenth of its error in a night of 500 learners
MOST_FITS = 6
STEP = 0.08  # of the centre, for derivatives of the marginal likelihood
LARGEST_SHIFT = 0.2
PLENTY = 500  # answers an item from which the shift is below SETTLED
# No restraint within the range of tests, and yet an estimate for every item.
FLAT_B = irt.Normal(0.0, 50.0)
C, D = irt.Beta(5.0, 17.0), irt.Beta(17.0, 5.0)  # c near .2, d as far from 1 as c from 0


@dataclass(frozen=True, slots=True)
class SlopePrior:
    """log a ~ N(centre, spread²)."""

    centre: float
    spread: float

    def priors(self) -> irt.Priors:
        """For `irt.calibrate`, whose LogNormal is a density of a: its mode in log a is mean_log − sd_log²."""
        return irt.Priors(a=irt.LogNormal(self.centre + self.spread**2, self.spread), b=FLAT_B, c=C, d=D)


NO_SLOPE_PRIOR = irt.Priors(b=FLAT_B, c=C, d=D)  # where items share their slope, or have none
FitAt = Callable[[irt.Priors], irt.Fit]


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """A fit under one prior, with what the next prior is made of."""

    prior: SlopePrior
    fit: irt.Fit
    covariance: Array  # (I, W, W) each item's own

    @property
    def log_a(self) -> Array:
        """(J,) of the items with an error."""
        return np.asarray(np.log(self.fit.items.a[self._known]))

    @property
    def variance(self) -> Array:
        """(J,) of log a."""
        return np.asarray(self.covariance[self._known, 0, 0] / self.fit.items.a[self._known] ** 2)

    @property
    def _known(self) -> Mask:
        a = self.fit.items.a
        blocks = np.linalg.det(np.nan_to_num(self.covariance[:, :2, :2]))
        return np.asarray((blocks > 0) & (a > 0))

    def spread(self) -> float:
        """The sd of log a that the estimates and their errors speak for (an EM step from this prior's)."""
        if not self.log_a.size:
            return self.prior.spread
        squares = np.square(self.log_a - self.log_a.mean()) + self.variance
        return float(np.clip(np.sqrt(squares.mean()), *SPREADS))

    def log_volume(self) -> float:
        """Σ over items of log √|covariance| of (log a, intercept), which the marginal likelihood has beside the mode.

        With respect to (a, b) that is the same: the two changes of scale cancel.
        """
        return float(0.5 * np.linalg.slogdet(self.covariance[self._known, :2, :2])[1].sum())

    def pull(self) -> float:
        """Derivative of the penalised likelihood in the centre."""
        return float((self.log_a - self.prior.centre).sum() / self.prior.spread**2)


def estimated_slope_prior(fit_at: FitAt, start: SlopePrior | None = None) -> SlopePrior:
    """Centre and spread at which the mean of the estimated log a is the centre itself, by secants.

    `fit_at` calibrates under given priors.
    """
    prior = start or SlopePrior(*START)
    last: tuple[float, float] | None = None
    for _ in range(MOST_FITS):
        trial = _trial(fit_at, prior)
        if not trial.log_a.size:
            return prior
        miss = float(trial.log_a.mean()) - prior.centre
        if abs(miss) < SETTLED:
            return SlopePrior(prior.centre, trial.spread())
        centre = _secant(last, prior.centre, miss)
        last = (prior.centre, miss)
        prior = SlopePrior(centre, trial.spread())
    return prior


def marginal_centre(fit_at: FitAt, prior: SlopePrior) -> SlopePrior:
    """Move the centre from the joint mode to that of the marginal likelihood: one Newton step, by differences."""
    low, high = (_trial(fit_at, SlopePrior(prior.centre + step, prior.spread)) for step in (-STEP, STEP))
    curvature = (low.pull() - high.pull()) / (2 * STEP)
    slope = (high.log_volume() - low.log_volume()) / (2 * STEP)
    if curvature <= 0:
        return prior
    return SlopePrior(prior.centre + float(np.clip(slope / curvature, -LARGEST_SHIFT, LARGEST_SHIFT)), prior.spread)


def _trial(fit_at: FitAt, prior: SlopePrior) -> _Trial:
    fit = fit_at(prior.priors())
    return _Trial(prior, fit, fit.covariance_by_item())


def _secant(last: tuple[float, float] | None, centre: float, miss: float) -> float:
    """The next centre: where the line through the last two misses is zero, at most two misses away."""
    if last is None or last[1] == miss:
        return centre + miss
    step = miss * (centre - last[0]) / (last[1] - miss)
    return centre + float(np.clip(step, -4 * abs(miss), 4 * abs(miss)))
