"""A_t, engagement: sessions, gaps, hints and dwell in one number."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thetaline.learning.attempts import UNKNOWN, Attempts, first_per_pair, share
from thetaline.learning.windows import Window

WEIGHTS = (0.35, 0.25, 0.20, 0.20)
SESSIONS_A_WEEK = 3.0  # a habit counts as full from here
RAPID_MS = 3000  # the common threshold of Wise, Kingsbury, Thomason & Kong (2004)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class EngagementParts:
    """Four parts in [0, 1], each (n_learners,), NaN where unknown.

    sessions: sessions a week, full from three. gaps: 1 − longest run of days without activity / days of the window.
    hints: share of answers given without a hint. dwell: response-time effort, the share of answers that took at least
    3 s and so were not rapid guesses (Wise & Kong 2005).
    """

    sessions: Floats
    gaps: Floats
    hints: Floats
    dwell: Floats


def engagement(parts: EngagementParts) -> Floats:
    """(n_learners,) A_t = Σ w·part / Σ w over the known parts, w = .35 .25 .20 .20; NaN where all are unknown."""
    stacked = np.stack([parts.sessions, parts.gaps, parts.hints, parts.dwell]).astype(float)
    weight = np.where(np.isnan(stacked), 0.0, np.asarray(WEIGHTS)[:, None])
    total = weight.sum(0)
    score = (weight * np.nan_to_num(stacked)).sum(0)
    return share(score, total)


def engagement_parts(attempts: Attempts, recent: Window) -> EngagementParts:
    """The parts from the attempts inside `recent`; no attempt at all means 0 sessions and one gap, not unknown."""
    inside = attempts.where(recent.holds(attempts.day))
    return EngagementParts(
        sessions=np.minimum(1.0, n_sessions(inside) / (SESSIONS_A_WEEK * recent.days / 7)),
        gaps=1.0 - longest_gap(inside, recent) / recent.days,
        hints=_share_of(inside, inside.hint != UNKNOWN, inside.hint == 0),
        dwell=_share_of(inside, inside.time_ms != UNKNOWN, inside.time_ms >= RAPID_MS),
    )


def n_sessions(inside: Attempts) -> Floats:
    """(n_learners,) number of different sessions."""
    first = first_per_pair(inside.learner, inside.session)
    return np.bincount(inside.learner[first], minlength=inside.n_learners).astype(float)


def longest_gap(inside: Attempts, window: Window) -> Floats:
    """(n_learners,) longest run of days without activity, the edges of the window counted as activity."""
    first = first_per_pair(inside.learner, inside.day)
    learner, day = inside.learner[first], inside.day[first].astype(np.int64)
    everybody = np.arange(inside.n_learners)
    who = np.concatenate((everybody, learner, everybody))
    when = np.concatenate((np.full(everybody.size, window.start - 1), day, np.full(everybody.size, window.stop)))
    order = np.lexsort((when, who))
    who, when = who[order], when[order]
    longest = np.zeros(inside.n_learners)
    same = who[1:] == who[:-1]
    np.maximum.at(longest, who[1:][same], (np.diff(when) - 1)[same])
    return longest


def _share_of(inside: Attempts, known: NDArray[np.bool_], good: NDArray[np.bool_]) -> Floats:
    n_known = inside.per_learner(known)
    n_good = inside.per_learner(known & good)
    return share(n_good, n_known)
