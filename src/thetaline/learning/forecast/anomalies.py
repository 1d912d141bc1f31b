"""Which of a week's values are not what was to be expected of them: one step ahead, over all series at once."""

from dataclasses import dataclass

import numpy as np

from thetaline.irt.p_values import false_discovery
from thetaline.learning._types import Array, Mask

FALSE_DISCOVERIES = 0.10  # of the anomalies of a week, the share that is none
DEFAULT_THRESHOLD = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class WeekTest:
    """(N,) each: the newest week against what the weeks before it foretold; NaN of a series that is not tested."""

    value: Array
    expected: Array
    score: Array  # error / standard deviation of the prediction, on the model's scale
    p: Array


def anomalies(score: Array, p: Array, *, threshold: float = DEFAULT_THRESHOLD) -> Mask:
    """(N,) which tests of a week are alarms: |score| at least the threshold, and 10 % false discoveries over all.

    The p-values are those of every series of the week, of all metrics (Benjamini & Hochberg 1995).
    """
    with np.errstate(invalid="ignore"):
        return (false_discovery(p) <= FALSE_DISCOVERIES) & (np.abs(score) >= threshold)
