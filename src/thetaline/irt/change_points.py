"""Did an item's location change, and when? The evidence of periods that do not overlap, weighed after each of them."""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array, Index, Mask, short_repr
from thetaline.irt.p_values import lower_tail

CHANGE_SD = 1.0  # of a change of b, before any answer is seen


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ChangePoints:
    """Of I items: how likely a change is, and the change of b with the period from which on it is seen best."""

    log_odds: Array  # (I,) Σ_s log odds of a change at the start of period s; NaN without answers
    change: Array  # (I,) of b, after less before
    se: Array  # (I,) of `change`
    first: Index  # (I,) period in which it begins

    @property
    def z(self) -> Array:
        """(I,) of the change that is seen best: the largest of many, so that no normal table holds for it."""
        return self.change / self.se


def change_points(score: Array, information: Array, reference_variance: Array) -> ChangePoints:
    """Compare the periods from each on with the reference and the periods before it, and sum the odds of a change.

    `score` and `information` (I, T) are sums over T periods, of `item_scores`; `reference_variance` (I,) is the squared
    standard error of the reference's location, infinite where it says nothing. The odds of one start are the ratio of
    the marginal likelihoods with a change ~ N(0, 1) and without; reference and periods before are pooled, so that an
    imprecise reference is no change. While nothing changes, the sum R has the mean that its number of starts has, and
    R > A happens within T periods with a probability of at most T / A (Roberts 1966; Pollak 1987). A change begins
    before the last period, except that all periods together are compared with the reference.
    """
    before = 1.0 / reference_variance[:, None] + _before(information)
    after = information.sum(axis=1, keepdims=True) - _before(information)
    gained = score.sum(axis=1, keepdims=True) - _before(score)
    usable = (before > 0) & (after > 0) & _starts(information.shape[1])
    before, after = np.where(usable, before, 1.0), np.where(usable, after, 1.0)
    change = _before(score) / before - gained / after
    variance = 1.0 / before + 1.0 / after
    odds = np.where(usable, _log_odds(change**2, variance), -np.inf)
    first, rows = np.argmax(odds, axis=1), np.arange(len(odds))
    known = usable.any(axis=1)
    total = np.where(known, _sum(odds, known), np.nan)
    return ChangePoints(
        log_odds=total,
        change=np.where(known, change[rows, first], np.nan),
        se=np.sqrt(np.where(known, variance[rows, first], np.nan)),
        first=first,
    )


def power_of(change: float, variance: Array, log_limit: float) -> Array:
    """(I,) probability that the odds of one start pass the limit, of a change that is known to a variance (I,)."""
    weight = variance + CHANGE_SD**2
    least = 2.0 * variance * weight / CHANGE_SD**2 * (log_limit + 0.5 * np.log(weight / variance))
    limit, se = np.sqrt(least), np.sqrt(variance)
    return lower_tail((abs(change) - limit) / se) + lower_tail((-abs(change) - limit) / se)


def _log_odds(squared: Array, variance: Array) -> Array:
    """log N(change; 0, variance + CHANGE_SD²) − log N(change; 0, variance)."""
    share = CHANGE_SD**2 / (variance + CHANGE_SD**2)
    return 0.5 * (np.log1p(-share) + share * squared / variance)


def _before(sums: Array) -> Array:
    """(I, T) what was there before each period."""
    return np.cumsum(sums, axis=1) - sums


def _starts(n_periods: int) -> Mask:
    """(T,) where a change may begin."""
    return np.arange(n_periods) < max(n_periods - 1, 1)


def _sum(log_values: Array, rows: Mask) -> Array:
    top = np.where(rows, log_values.max(axis=1, initial=-np.inf), 0.0)
    total = np.exp(log_values - top[:, None]).sum(axis=1)
    return top + np.log(np.where(rows, total, 1.0))
