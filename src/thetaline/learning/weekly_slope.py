"""The slope of single weeks' θ, from those weeks alone: what a learner's own answers say of a change."""

import numpy as np

from thetaline.learning._types import Array, Int32s


def own_slopes(learner: Int32s, week: Int32s, theta: Array, se: Array, n_learners: int) -> tuple[Array, Array]:
    """(n_learners,) slope of θ a week with its standard error; NaN for learners with fewer than two weeks.

    Least squares over M measures of weeks, weighted by their known error variances: unbiased whatever the cohort does,
    since no other learner's answers enter.
    """
    weight = 1 / np.square(se)

    def total(values: Array) -> Array:
        return np.asarray(np.bincount(learner, weight * values, n_learners), float)

    mass = total(np.ones_like(theta))
    with np.errstate(invalid="ignore", divide="ignore"):
        from_centre = week - (total(week.astype(float)) / mass)[learner]
        spread = total(np.square(from_centre))
        known = spread > 0
        slope = np.where(known, total(from_centre * theta) / spread, np.nan)
        return slope, np.where(known, 1 / np.sqrt(spread), np.nan)
