"""E_t efficiency, R_t recovery, A_t engagement and P goal: weekly KPIs of every learner of a cohort."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from thetaline.learning._types import Array, Int32s, Mask
from thetaline.learning.attempts import (
    UNKNOWN,
    Attempts,
    first_per_pair,
    last_per_pair,
    median_per_group,
    pair_key,
    share,
)
from thetaline.learning.term_calendar import NO_TERMS, TermCalendar
from thetaline.learning.windows import Window

ENGAGEMENT_WEIGHTS = (0.35, 0.25, 0.20, 0.20)
FULL_SESSIONS_A_WEEK = 3.0
RAPID_MS = 3000  # the common threshold of Wise, Kingsbury, Thomason & Kong (2004)


def efficiency(attempts: Attempts, recent: Window) -> Array:
    """(n_learners,) E_t = (m_before − m_recent) / m_before, m the median time of correct answers in a window.

    Negative when slower; NaN where one of the two windows has no correct answer with a known time.
    """
    before, now = median_time(attempts, recent.before()), median_time(attempts, recent)
    return share(before - now, before)


def median_time(attempts: Attempts, window: Window) -> Array:
    """(n_learners,) median time in ms of the correct answers inside the window; NaN where there is none."""
    timed = (attempts.correct == 1) & (attempts.time_ms >= 0) & window.contains(attempts.day)
    return median_per_group(attempts.time_ms[timed], attempts.learner[timed], attempts.n_learners)


def error_recovery(attempts: Attempts, recent: Window) -> Array:
    """(n_learners,) R_t = share of the missed items that are right now; NaN where no missed item was tried again.

    An item is missed when the last answer to it in the window before `recent` was wrong, and right now when the last
    answer to it in `recent` is right. An item that was not tried again does not count: nothing is known of it.
    """
    before = _last_answers(attempts, recent.before())
    missed = before.where(before.correct == 0)
    now = _last_answers(attempts, recent)
    missed_pairs = pair_key(missed.learner, missed.item)
    again = now.where(np.isin(pair_key(now.learner, now.item), missed_pairs, assume_unique=True))
    return share(again.per_learner(again.correct), again.per_learner())


def _last_answers(attempts: Attempts, window: Window) -> Attempts:
    inside = attempts.where(window.contains(attempts.day)).answered()
    keep = np.zeros(inside.learner.size, bool)
    keep[last_per_pair(inside.learner, inside.item)] = True
    return inside.where(keep)


@dataclass(frozen=True, slots=True, eq=False)
class EngagementParts:
    """Four parts in [0, 1], each (n_learners,), NaN where unknown.

    sessions: sessions a week, full from three. gaps: 1 − longest run of days without activity / days of the window.
    hints: share of answers given without a hint. dwell: response-time effort, the share of answers that took at least
    3 s and so were not rapid guesses (Wise & Kong 2005).
    """

    sessions: Array
    gaps: Array
    hints: Array
    dwell: Array


def engagement(parts: EngagementParts) -> Array:
    """(n_learners,) A_t = Σ w·part / Σ w over the known parts, w = .35 .25 .20 .20; NaN where all are unknown."""
    stacked = np.stack([parts.sessions, parts.gaps, parts.hints, parts.dwell]).astype(float)
    weight = np.where(np.isnan(stacked), 0.0, np.asarray(ENGAGEMENT_WEIGHTS)[:, None])
    total = weight.sum(0)
    score = (weight * np.nan_to_num(stacked)).sum(0)
    return share(score, total)


def engagement_parts(attempts: Attempts, recent: Window, terms: TermCalendar = NO_TERMS) -> EngagementParts:
    """The parts from the attempts inside `recent`; no attempt at all means 0 sessions and one gap, not unknown.

    Free days of the school are no gap, and no session is expected on them; where all are free both are unknown.
    """
    inside, school = terms.in_school_days(attempts, recent)
    n_days = np.full(attempts.n_learners, float(school.days))
    return EngagementParts(
        sessions=np.minimum(1.0, share(n_sessions(inside), FULL_SESSIONS_A_WEEK * n_days / 7)),
        gaps=1.0 - share(longest_gap(inside, school), n_days),
        hints=_share_of(inside, inside.hint != UNKNOWN, inside.hint == 0),
        dwell=_share_of(inside, inside.time_ms != UNKNOWN, inside.time_ms >= RAPID_MS),
    )


def n_sessions(inside: Attempts) -> Array:
    """(n_learners,) number of different sessions."""
    first = first_per_pair(inside.learner, inside.session)
    return np.bincount(inside.learner[first], minlength=inside.n_learners).astype(float)


def longest_gap(inside: Attempts, window: Window) -> Array:
    """(n_learners,) longest run of days without activity, the edges of the window counted as activity."""
    first = first_per_pair(inside.learner, inside.day)
    learner, day = inside.learner[first], inside.day[first].astype(np.int64)
    all_learners = np.arange(inside.n_learners)
    who = np.concatenate((all_learners, learner, all_learners))
    when = np.concatenate((np.full(all_learners.size, window.start - 1), day, np.full(all_learners.size, window.stop)))
    order = np.lexsort((when, who))
    who, when = who[order], when[order]
    longest = np.zeros(inside.n_learners)
    same = who[1:] == who[:-1]
    np.maximum.at(longest, who[1:][same], (np.diff(when) - 1)[same])
    return longest


def _share_of(inside: Attempts, known: Mask, good: Mask) -> Array:
    n_known = inside.per_learner(known)
    n_good = inside.per_learner(known & good)
    return share(n_good, n_known)


def goal_probability(theta: Array, se: Array, target: Array | float) -> Array:
    """P(θ ≥ target) = Φ((θ − target) / se) under the normal posterior N(theta, se²); elementwise, NaN stays NaN."""
    return np.asarray(ndtr((np.asarray(theta, float) - target) / np.asarray(se, float)))


def joint_goal(probability: Array, weight: Array, learner: Int32s, n_learners: int) -> Array:
    """(n_learners,) mean of the goals' probabilities, weighted by priority; NaN where a learner has none known."""
    known = ~np.isnan(probability) & (weight > 0)
    total = np.bincount(learner[known], weight[known], n_learners)
    score = np.bincount(learner[known], (weight * probability)[known], n_learners)
    return share(np.asarray(score, float), np.asarray(total, float))
