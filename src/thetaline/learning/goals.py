"""P, the probability that a learner is at the goal."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from thetaline.learning.attempts import share

Floats = NDArray[np.float64]


def goal_probability(theta: Floats, se: Floats, target: Floats | float) -> Floats:
    """P(θ ≥ target) = Φ((θ − target) / se) under the normal posterior N(theta, se²); elementwise, NaN carried."""
    return np.asarray(ndtr((np.asarray(theta, float) - target) / np.asarray(se, float)))


def joint_goal(probability: Floats, weight: Floats, learner: NDArray[np.int32], n_learners: int) -> Floats:
    """(n_learners,) mean of the goals' probabilities, weighted by priority; NaN where a learner has none known."""
    known = ~np.isnan(probability) & (weight > 0)
    total = np.bincount(learner[known], weight[known], n_learners)
    score = np.bincount(learner[known], (weight * probability)[known], n_learners)
    return share(np.asarray(score, float), np.asarray(total, float))
