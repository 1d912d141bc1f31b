"""Which of a week's values are not what was to be expected of them: one step ahead, over all series at once."""

from collections.abc import Sequence

import numpy as np

from thetaline.irt.p_values import false_discovery
from thetaline.learning._types import Array, Mask
from thetaline.learning.forecast.result import PanelForecast

FALSE_DISCOVERIES = 0.10  # of the anomalies of a week, the share that is none
DEFAULT_THRESHOLD = 2.5


def anomalies(score: Array, p: Array, *, threshold: float = DEFAULT_THRESHOLD) -> Mask:
    """(N,) which tests of a week are alarms: |score| at least the threshold, and 10 % false discoveries over all.

    The p-values are those of every series of the week, of all metrics (Benjamini & Hochberg 1995).
    """
    with np.errstate(invalid="ignore"):
        return (false_discovery(p) <= FALSE_DISCOVERIES) & (np.abs(score) >= threshold)


def alarms_of_week(fits: Sequence[PanelForecast], *, threshold: float = DEFAULT_THRESHOLD) -> list[Mask]:
    """Of each panel (N,) which newest weeks are alarms, false discoveries controlled over all panels together."""
    none = [np.full(fit.weeks_known.size, np.nan) for fit in fits]
    tests = [fit.newest for fit in fits]
    score = np.concatenate([one.score if one else absent for one, absent in zip(tests, none, strict=True)])
    p = np.concatenate([one.p if one else absent for one, absent in zip(tests, none, strict=True)])
    ends = np.cumsum([fit.weeks_known.size for fit in fits])
    return np.split(anomalies(score, p, threshold=threshold), ends[:-1])
