"""Answers given faster than the question can be read."""

import numpy as np
from numpy.typing import NDArray

from thetaline.reports.value import Estimate

SHARE_OF_MEDIAN = 0.10
MOST_MS = 10_000.0
LEAST_TIMES = 20  # of an item, before its usual time is known
MOST_DIFFERENCE = 0.5  # standard errors


def rapid_thresholds(median_ms: NDArray[np.float64], n_times: NDArray[np.int64]) -> NDArray[np.float64]:
    """(I,) ms below which an answer is a rapid guess: 10 % of the item's usual time, 10 s at most.

    The normative threshold NT10 of Wise & Ma (2012), with the median for their mean, which one long pause can move; NaN
    for items with fewer than 20 known times.
    """
    return np.where(n_times >= LEAST_TIMES, np.minimum(SHARE_OF_MEDIAN * median_ms, MOST_MS), np.nan)


def effort_matters(theta: Estimate | None, without_rapid: Estimate | None) -> bool:
    """Whether θ without the rapid answers lies more than half a standard error away."""
    if theta is None or without_rapid is None:
        return False
    return abs(without_rapid.value - theta.value) > MOST_DIFFERENCE * theta.se
