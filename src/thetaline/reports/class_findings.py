"""What a class's page may say of its learners, and of the class as a whole."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thetaline.learning.proportions import jeffreys_interval
from thetaline.learning.random_effects import random_effects
from thetaline.reports.class_value import NextStep
from thetaline.reports.value import Absent, Change, Estimate, GoalOutlook, GoalVerdict, Interval

Array = NDArray[np.float64]
LEAST_LEARNERS = 5  # known, before a mean or a spread of the class is told
LIKELY = 0.5  # chance of silence, and of reaching a goal


def next_step(change: Change, goals: Sequence[GoalOutlook], *, silent: bool, risk: float | None) -> NextStep:
    """The first that holds: silence, loss or a goal out of reach, all goals met, growth; else more has to be known."""
    if silent or (risk is not None and risk >= LIKELY):
        return NextStep.TALK
    if change is Change.DOWN or any(map(_out_of_reach, goals)):
        return NextStep.SUPPORT
    if goals and all(one.verdict is GoalVerdict.MET for one in goals):
        return NextStep.STRETCH
    return NextStep.KEEP_GOING if change is Change.UP else NextStep.MORE_ANSWERS


def _out_of_reach(goal: GoalOutlook) -> bool:
    """Clearly not met, and not likely to be on its day."""
    likely = not isinstance(goal.probability, Absent) and goal.probability >= LIKELY
    return goal.verdict is GoalVerdict.NOT_MET and not likely


def mean_and_spread(values: Array, se: Array) -> tuple[Estimate, Interval] | Absent:
    """Of the true values of learners known as N(values, se²), (N,) each; NaN is left out."""
    known = np.isfinite(values) & np.isfinite(se)
    if known.sum() < LEAST_LEARNERS:
        return Absent.GROUP_TOO_SMALL
    found = random_effects(values[known], se[known])
    return Estimate(found.mean, found.mean_se), Interval(found.sd, found.sd_low, found.sd_high)


def pooled_accuracy(right: Array, attempts: Array) -> Interval:
    """The share right over learners (N,) with at least one attempt each.

    Answers of one learner go together, so the interval is Jeffreys' for as many independent answers as give the share
    the variance that it has between learners (Korn & Graubard 1998), never more than there are.
    """
    total, n = float(attempts.sum()), attempts.size
    share = float(right.sum()) / total
    between = float(np.square(right - share * attempts).sum()) / total**2 * n / max(n - 1, 1)
    independent = _independent_answers(share, between, n, total)
    low, high = jeffreys_interval(np.array([share * independent]), np.array([independent]))
    return Interval(share, float(low[0]), float(high[0]))


def _independent_answers(share: float, between: float, n: int, total: float) -> float:
    """At least as many as learners, at most as many as answers; the former, where all answers are alike."""
    if not between:
        return total if 0 < share < 1 else float(n)
    return min(max(share * (1 - share) / between, float(n)), total)
