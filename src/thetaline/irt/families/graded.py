"""Graded response model, Samejima (1969).

P(X >= k | theta) = 1 / (1 + exp(-(a theta + e_k))), b_k = -e_k / a, e decreasing.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Categories, Mask
from thetaline.irt.families.base import AnswerDerivatives, Curve, Family
from thetaline.irt.families.logit import LARGEST_LOGIT, Logistic, expit, log_expit, logit


class Sides(NamedTuple):
    """P(X >= k) "above" and P(X > k) "below" with what each lacks of 1, for k = 0..K-1, (..., K)."""

    above: Array
    not_above: Array
    below: Array
    not_below: Array

    @classmethod
    def of(cls, free: Array, theta: Array) -> "Sides":
        """Of `free` (..., P) at `theta` (...): every boundary once, between one at +∞ and one at -∞."""
        eta = free[..., 0] * theta
        x = np.empty((*eta.shape, free.shape[-1] + 1))
        x[..., 0], x[..., -1] = LARGEST_LOGIT, -LARGEST_LOGIT
        x[..., 1:-1] = eta[..., None] + free[..., 1:]
        reached = Logistic.at(x)
        return cls(reached.right[..., :-1], reached.wrong[..., :-1], reached.right[..., 1:], reached.wrong[..., 1:])


@dataclass(frozen=True, slots=True)
class Graded(Family):
    """Free in (a, e_1..e_{K-1}).

    With x_k = a theta + e_k, P_k = expit(x_k) - expit(x_{k+1}) = expit(x_k) expit(-x_{k+1}) (1 - exp(e_{k+1} - e_k)),
    which is exact in both tails; the last factor does not depend on theta.
    """

    name: str = "GRM"
    polytomous: bool = True
    logistic: bool = True
    tied: bool = False
    unit: bool = False
    has_c: bool = False
    has_d: bool = False

    def valid(self, free: Array) -> Mask:
        """Finite with strictly decreasing boundaries."""
        finite = np.asarray(np.isfinite(free).all(axis=1))
        return finite & np.asarray((np.diff(free[:, 1:], axis=1) < 0).all(axis=1))

    def log_prob(self, free: Array, theta: Array) -> Array:
        """(I, K, Q)."""
        x = _boundaries(free, theta)
        out = np.zeros((len(free), free.shape[1], theta.size))
        out[:, 1:] = log_expit(x)
        out[:, :-1] += log_expit(-x)
        out[:, 1:-1] += np.log(-np.expm1(np.diff(free[:, 1:], axis=1)))[:, :, None]
        return out

    def d_log_prob(self, free: Array, theta: Array) -> Array:
        """(I, P, K, Q)."""
        from_above, from_below = _by_boundary(free, theta)
        n_free = free.shape[1]
        out = np.zeros((len(free), n_free, n_free, theta.size))
        sides = Sides.of(free[:, None, :], theta)
        out[:, 0] = (sides.not_above - sides.below).swapaxes(1, 2) * theta
        for k in range(1, n_free):
            out[:, k, k] = from_above[:, k - 1]
            out[:, k, k - 1] = from_below[:, k - 1]
        return out

    def curve(self, coefficients: Array, theta: Array) -> Curve:
        """(..., K); s_k = a (1 - P(X >= k) - P(X > k)) needs no division."""
        sides, a = Sides.of(coefficients, theta), coefficients[..., :1]
        p = np.where(sides.above > 0.5, sides.not_below - sides.not_above, sides.above - sides.below)
        s = a * (sides.not_above - sides.below)
        return Curve(p, s, -np.square(a) * (sides.above * sides.not_above + sides.below * sides.not_below))

    def answered(self, coefficients: Array, theta: Array, answer: Categories) -> AnswerDerivatives:
        """From the two boundaries of the category alone."""
        a, row, last = coefficients[:, 0], np.arange(len(answer)), coefficients.shape[1] - 1
        low, high = coefficients[row, np.maximum(answer, 1)], coefficients[row, np.minimum(answer + 1, last)]
        above = Logistic.at(np.where(answer == 0, LARGEST_LOGIT, a * theta + low))
        below = Logistic.at(np.where(answer == last, -LARGEST_LOGIT, a * theta + high))
        s = a * (above.wrong - below.right)
        return AnswerDerivatives(s, -np.square(a) * (above.right * above.wrong + below.right * below.wrong))

    def curvature_bound(self, free: Array, n_categories: int) -> Array:
        """The variances of a category's two thresholds, a quarter each, times a^2."""
        return np.asarray((0.25 if n_categories == 2 else 0.5) * free[:, 0] ** 2)

    def start(self, proportions: Array) -> Array:
        """Slope 1 and the boundaries that give the observed cumulative proportions."""
        smooth = (proportions + 0.01) / (proportions + 0.01).sum(axis=1, keepdims=True)
        at_least = np.cumsum(smooth[:, ::-1], axis=1)[:, ::-1][:, 1:]
        return np.column_stack([np.ones(len(proportions)), 1.16 * logit(at_least)])


def _boundaries(free: Array, theta: Array) -> Array:
    """x_k = a theta + e_k, (I, K - 1, Q)."""
    return np.multiply.outer(free[:, 0], theta)[:, None, :] + free[:, 1:, None]


def _by_boundary(free: Array, theta: Array) -> tuple[Array, Array]:
    """d log P_k / d e_k and d log P_{k-1} / d e_k for k = 1..K-1, each (I, K - 1, Q)."""
    x = _boundaries(free, theta)
    above, below = expit(-x), -expit(x)
    crowding = 1.0 / np.expm1(-np.diff(free[:, 1:], axis=1))[:, :, None]
    above[:, :-1] += crowding
    below[:, 1:] -= crowding
    return above, below


GRM = Graded()
