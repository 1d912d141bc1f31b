"""What may be said of numbers that are known with an error: every claim of a page is made here, and nowhere else.

The error rates of these rules are measured by `benchmarks/report_claims.py`; decision 0902 has them.
"""

from datetime import date
from statistics import NormalDist

from thetaline.reports.value import Change, Estimate, GoalVerdict, TopicVerdict

ALPHA = 0.05  # a change that is none is told as one this often at most
OWN_ALPHA = 0.10  # two-sided: a learner's own weeks have to lean the same way at the one-sided 5 % level
LEAST_WEEKS = 3  # with answers, before anything is said of a change
LEAST_POSTERIOR = 0.9  # that a topic departs from the general level


def clear_change(estimate: Estimate | None, n_weeks: int, *, alpha: float = ALPHA) -> Change:
    """What an estimated change with its standard error says at the two-sided level `alpha`; UNKNOWN below 3 weeks."""
    if estimate is None or n_weeks < LEAST_WEEKS:
        return Change.UNKNOWN
    reach = NormalDist().inv_cdf(1 - alpha / 2) * estimate.se
    if abs(estimate.value) <= reach:
        return Change.NO_CLEAR_CHANGE
    return Change.UP if estimate.value > 0 else Change.DOWN


def headline_change(line: Estimate | None, own: Estimate | None, n_weeks: int, *, level_since: date | None) -> Change:
    """A change that both the growth line and the learner's own weeks show, or the plateau that the line ended in.

    A line borrows from the cohort: where nearly all grow, so does the line of one who does not. Therefore `own`, the
    slope of the learner's weekly θ alone, has to agree.
    """
    of_line = clear_change(line, n_weeks)
    if of_line is Change.UNKNOWN:
        return of_line
    if level_since is not None:
        return Change.LEVEL
    return of_line if clear_change(own, n_weeks, alpha=OWN_ALPHA) is of_line else Change.NO_CLEAR_CHANGE


def topic_verdict(difference: Estimate | None) -> TopicVerdict:
    """By the posterior probability that a topic lies above, or below, the learner's general level."""
    if difference is None or not difference.se:
        return TopicVerdict.LIKE_THE_REST
    above = NormalDist().cdf(difference.value / difference.se)
    if max(above, 1 - above) < LEAST_POSTERIOR:
        return TopicVerdict.LIKE_THE_REST
    return TopicVerdict.STRONGER if difference.value > 0 else TopicVerdict.WEAKER


def goal_verdict(theta: Estimate, target: float) -> GoalVerdict:
    """On which side of the target θ lies, and whether its 95 % interval leaves the target out."""
    if theta.value >= target:
        return GoalVerdict.MET if theta.low >= target else GoalVerdict.MET_WITHIN_ERROR
    return GoalVerdict.NOT_MET if theta.high < target else GoalVerdict.NOT_MET_WITHIN_ERROR
