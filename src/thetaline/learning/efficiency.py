"""E_t, efficiency: how much faster right answers came."""

import numpy as np
from numpy.typing import NDArray

from thetaline.learning.attempts import Attempts, median_per_group, share
from thetaline.learning.windows import Window


def efficiency(attempts: Attempts, recent: Window) -> NDArray[np.float64]:
    """(n_learners,) E_t = (m_before − m_recent) / m_before, m the median time of right answers in a window.

    Negative when slower; NaN where one of the two windows has no right answer with a known time.
    """
    before, now = median_time(attempts, recent.before()), median_time(attempts, recent)
    return share(before - now, before)


def median_time(attempts: Attempts, window: Window) -> NDArray[np.float64]:
    """(n_learners,) median time in ms of the right answers inside the window; NaN where there is none."""
    timed = (attempts.correct == 1) & (attempts.time_ms >= 0) & window.holds(attempts.day)
    return median_per_group(attempts.time_ms[timed], attempts.learner[timed], attempts.n_learners)
