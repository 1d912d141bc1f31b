"""R_t, recovery: what was missed and is right now."""

import numpy as np
from numpy.typing import NDArray

from thetaline.learning.attempts import Attempts, last_per_pair, share
from thetaline.learning.windows import Window


def recovery(attempts: Attempts, recent: Window) -> NDArray[np.float64]:
    """(n_learners,) R_t = share of the missed items that are right now; NaN where no missed item was tried again.

    An item is missed when the last answer to it in the window before `recent` was wrong, and right now when the last
    answer to it in `recent` is right. An item that was not tried again says nothing and does not count.
    """
    missed_key = _keys(_last_answers(attempts, recent.before()), correct=0)
    now = _last_answers(attempts, recent)
    again = now.where(np.isin(_pair(now), missed_key, assume_unique=True))
    tried, right = again.per_learner(), again.per_learner(again.correct)
    return share(right, tried)


def _last_answers(attempts: Attempts, window: Window) -> Attempts:
    inside = attempts.where(window.holds(attempts.day)).answered()
    keep = np.zeros(inside.learner.size, bool)
    keep[last_per_pair(inside.learner, inside.item)] = True
    return inside.where(keep)


def _pair(attempts: Attempts) -> NDArray[np.int64]:
    return attempts.learner.astype(np.int64) << 32 | attempts.item.astype(np.int64)


def _keys(attempts: Attempts, *, correct: int) -> NDArray[np.int64]:
    return _pair(attempts.where(attempts.correct == correct))
