"""S, the probability of 14 days without activity, from each learner's own active days and the cohort's.

The beta-geometric / beta-Bernoulli model (Fader, Hardie & Shang 2010, "Customer-base analysis in a discrete-time
noncontractual setting"): on each day an active learner shows up with probability p ~ Beta(a, b), and before each day
leaves for good with probability q ~ Beta(c, d). Days are counted from the first active day of the history. The four
parameters are the cohort's; a learner's own days move p and q away from them the more, the longer the history.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

from thetaline.learning._types import Array, Index, Ints
from thetaline.learning.attempts import Attempts, first_per_pair
from thetaline.learning.term_calendar import NO_TERMS, TermCalendar
from thetaline.learning.windows import Window

LogBeta = Callable[[Any, Any], Array]

AHEAD_DAYS = 14
FIT_LEARNERS = 5_000  # a larger cohort is thinned evenly: four parameters are well known from that many
LOG_PRIOR_SD = 1.5  # of the log of each parameter around `PRIOR_MODE`: matters in a cohort of a few learners only


@dataclass(frozen=True, slots=True)
class BgBbParameters:
    """Of the cohort: p ~ Beta(a, b) to show up on a day, q ~ Beta(c, d) to leave for good before it."""

    a: float
    b: float
    c: float
    d: float


PRIOR_MODE = BgBbParameters(a=1.0, b=3.0, c=0.5, d=15.0)


@dataclass(frozen=True, slots=True, eq=False)
class ActivityHistory:
    """Per learner (n_learners,): `days` after the first active day, `active` of them, `last` the newest active one."""

    active: Ints
    last: Ints
    days: Ints


def activity_history(attempts: Attempts, window: Window, terms: TermCalendar = NO_TERMS) -> ActivityHistory:
    """Active days inside the window, counted from each learner's first; no activity at all gives days = −1.

    All are school days: a vacation makes no silence longer.
    """
    inside, window = terms.in_school_days(attempts, window)
    keep = first_per_pair(inside.learner, inside.day)
    learner, day = inside.learner[keep], inside.day[keep].astype(np.int64)
    n_active = np.bincount(learner, minlength=attempts.n_learners)
    first = np.full(attempts.n_learners, window.stop, np.int64)
    last = np.full(attempts.n_learners, window.stop, np.int64)
    np.minimum.at(first, learner, day)
    last[learner] = day  # sorted by instant: the newest is written last
    return ActivityHistory(np.maximum(n_active - 1, 0), last - first, window.stop - 1 - first)


def inactivity_probability(past: ActivityHistory, parameters: BgBbParameters, *, ahead: int = AHEAD_DAYS) -> Array:
    """(n_learners,) S = P(no activity on the next `ahead` days | history) = L(x, t, n + ahead) / L(x, t, n).

    Never 0 or 1; NaN for a learner without a history.
    """
    known = past.days >= 0
    pattern, back = _patterns(past, known)
    later = ActivityHistory(pattern.active, pattern.last, pattern.days + ahead)
    probability = np.full(known.shape, np.nan)
    probability[known] = np.exp(_log_likelihood(later, parameters) - _log_likelihood(pattern, parameters))[back]
    return probability


def fit_bg_bb(past: ActivityHistory) -> BgBbParameters:
    """Maximum a posteriori of the four parameters over the cohort's histories, by L-BFGS on their logarithms."""
    known = np.flatnonzero(past.days > 0)
    pattern, back = _patterns(past, known[:: max(1, -(-known.size // FIT_LEARNERS))])
    count = np.bincount(back, minlength=pattern.days.size)
    start = np.log([PRIOR_MODE.a, PRIOR_MODE.b, PRIOR_MODE.c, PRIOR_MODE.d])

    def loss(log_parameters: Array) -> float:
        penalty = np.sum(np.square((log_parameters - start) / LOG_PRIOR_SD)) / 2
        return float(penalty - count @ _log_likelihood(pattern, BgBbParameters(*np.exp(log_parameters))))

    best = minimize(loss, start, method="L-BFGS-B", bounds=[(-7.0, 7.0)] * start.size)
    return BgBbParameters(*(float(value) for value in np.exp(best.x)))


def _patterns(past: ActivityHistory, chosen: NDArray[np.generic]) -> tuple[ActivityHistory, Index]:
    """Each distinct history among the chosen once, and its position for every chosen learner."""
    active, last, days = past.active[chosen], past.last[chosen], past.days[chosen]
    _, first, back = np.unique((active << 40) | (last << 20) | days, return_index=True, return_inverse=True)
    return ActivityHistory(active[first], last[first], days[first]), back


def _log_likelihood(past: ActivityHistory, parameters: BgBbParameters) -> Array:
    """log L(x, t, n): still here after n days, or left before day i + 1 for some t <= i < n (their equation 5)."""
    n_days = int(past.days.max(initial=0))
    shown = _log_beta(parameters.a, parameters.b, n_days)
    stayed = _log_beta(parameters.c, parameters.d, n_days + 1)
    x, t, n = past.active[:, None], past.last[:, None], past.days[:, None]
    i = np.arange(n_days + 1)
    here = np.where(i == n, stayed(0, i), stayed(1, np.minimum(i, n_days)))
    log_term = np.where((i >= t) & (i <= n), shown(x, np.maximum(i - x, 0)) + here, -np.inf)
    peak = log_term.max(
        axis=1
    )  # by hand: SciPy's logsumexp takes three times as long, and the fit spends its time here
    return np.asarray(peak + np.log(np.exp(log_term - peak[:, None]).sum(axis=1)))


def _log_beta(a: float, b: float, n: int) -> LogBeta:
    """(i, j) -> log B(a + i, b + j) − log B(a, b) for whole i + j <= n, from three tables of log-gamma."""
    steps = np.arange(n + 1)
    of_a, of_b, of_sum = (np.asarray(gammaln(base + steps) - gammaln(base)) for base in (a, b, a + b))
    return lambda i, j: of_a[i] + of_b[j] - of_sum[i + j]
