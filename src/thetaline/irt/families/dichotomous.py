"""Logistic families for right and wrong, from Rasch to 4PL: P(X = 1) = c + (d - c) / (1 + exp(-(a theta + e))).

b = -e / a.  A family without asymptotes has c = 0 and d = 1.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Categories, Mask
from thetaline.irt.families.base import AnswerDerivatives, Curve, Family, Published, Terms
from thetaline.irt.families.logit import Logistic, expit, log_expit, logit


class Asymptotes(NamedTuple):
    """c and d with their distances to 0 and 1, (...)."""

    c: Array
    not_c: Array
    d: Array | np.float64
    not_d: Array | np.float64

    def over_logistic(self, curve: Logistic) -> tuple[Array, Array]:
        """P / L of wrong and right, 1 - d + (1 - c) odds and d + c odds."""
        return self.not_d + self.not_c * curve.odds_against, self.d + self.c * curve.odds_against


@dataclass(frozen=True, slots=True)
class Dichotomous(Family):
    """A logistic family; free in (a, e), then logit c and logit d where it has asymptotes."""

    name: str
    tied: bool = False
    unit: bool = False
    has_c: bool = False
    has_d: bool = False
    polytomous: bool = False
    logistic: bool = True

    def n_free(self, n_categories: int) -> int:  # noqa: ARG002  (the contract's signature)
        """Slope, intercept and the asymptotes."""
        return 2 + self.has_c + self.has_d

    def valid(self, free: Array) -> Mask:
        """Finite slope and intercept, lower asymptote below the upper one; asymptotes of 0 and 1 are allowed."""
        line = np.asarray(np.isfinite(free[:, :2]).all(axis=1) & ~np.isnan(free).any(axis=1))
        if self.has_d:
            line &= free[:, 2] < free[:, 3]
        return line

    def log_prob(self, free: Array, theta: Array) -> Array:
        """(I, 2, Q): wrong, right."""
        eta = np.multiply.outer(free[:, 0], theta) + free[:, 1, None]
        wrong, right = log_expit(-eta), log_expit(eta)
        if not self.has_c:
            return np.stack([wrong, right], axis=1)
        log_c, log_not_c = log_expit(free[:, 2, None]), log_expit(-free[:, 2, None])
        if not self.has_d:
            return np.stack([wrong + log_not_c, np.logaddexp(log_c, log_not_c + right)], axis=1)
        log_d, log_not_d = log_expit(free[:, 3, None]), log_expit(-free[:, 3, None])
        return np.stack(
            [np.logaddexp(log_not_c + wrong, log_not_d + right), np.logaddexp(log_c + wrong, log_d + right)], axis=1
        )

    def d_log_prob(self, free: Array, theta: Array) -> Array:
        """(I, P, 2, Q)."""
        curve = Logistic.at(np.multiply.outer(free[:, 0], theta) + free[:, 1, None])
        if not self.has_c:
            by_intercept = np.stack([-curve.right, curve.wrong], axis=1)
            return np.stack([by_intercept * theta, by_intercept], axis=1)
        ends = self._asymptotes(self.coefficients(free)[:, None, :])
        wrong_over, right_over = ends.over_logistic(curve)
        over = np.stack([-wrong_over, right_over], axis=1)  # with the sign that an asymptote's derivative has
        by_intercept = ((ends.d - ends.c) * curve.wrong)[:, None] / over
        parts = [by_intercept * theta, by_intercept, (ends.c * ends.not_c * curve.odds_against)[:, None] / over]
        if self.has_d:
            parts.append(np.asarray(ends.d * ends.not_d)[:, None] / over)
        return np.stack(parts, axis=1)

    def coefficients(self, free: Array) -> Array:
        """a, e, then c, 1 - c, d and 1 - d where there are asymptotes; exact near 0 and 1."""
        ends = [expit(sign * free[:, column]) for column in range(2, free.shape[1]) for sign in (1.0, -1.0)]
        return np.column_stack([free[:, :2], *ends]) if ends else free

    def curve(self, coefficients: Array, theta: Array) -> Curve:
        """(..., 2)."""
        a = coefficients[..., 0]
        curve = Logistic.at(a * theta + coefficients[..., 1])
        bend = a * (curve.wrong - curve.right)
        if not self.has_c:
            s = a[..., None] * np.stack([-curve.right, curve.wrong], axis=-1)
            p = np.stack([curve.wrong, curve.right], axis=-1)
            return Curve(p, s, s * (bend[..., None] - s))
        ends = self._asymptotes(coefficients)
        wrong_over, right_over = ends.over_logistic(curve)
        step = a * (ends.d - ends.c) * curve.wrong
        p = np.stack([curve.right * wrong_over, curve.right * right_over], axis=-1)
        s = np.stack([-step / wrong_over, step / right_over], axis=-1)
        return Curve(p, s, s * (bend[..., None] - s))

    def answered(self, coefficients: Array, theta: Array, answer: Categories) -> AnswerDerivatives:
        """A wrong answer is a right one to the item turned round: -a, -e, asymptotes 1 - d and 1 - c."""
        right, z = answer == 1, coefficients[:, 0] * theta + coefficients[:, 1]
        a = np.where(right, coefficients[:, 0], -coefficients[:, 0])
        curve = Logistic.at(np.where(right, z, -z))
        if not self.has_c:
            s = a * curve.wrong
            return AnswerDerivatives(s, -a * s * curve.right)
        c, not_c, d, not_d = self._asymptotes(coefficients)
        low, high = np.where(right, c, not_d), np.where(right, d, not_c)
        s = a * (high - low) * curve.wrong / (high + low * curve.odds_against)
        return AnswerDerivatives(s, s * (a * (curve.wrong - curve.right) - s))

    def curvature_bound(self, free: Array, n_categories: int) -> Array:  # noqa: ARG002  (the contract's signature)
        """A quarter of a^2, the most that the variance of a right or wrong answer can be."""
        return np.asarray(0.25 * free[:, 0] ** 2)

    def scoring_terms(self, free: Array, theta: Array, observed: Array) -> Terms:
        """Without asymptotes in closed form: residuals and P (1 - P) times powers of theta."""
        if self.has_c:
            return Family.scoring_terms(self, free, theta, observed)
        n = observed[:, 0] + observed[:, 1]
        p = expit(np.multiply.outer(free[:, 0], theta) + free[:, 1, None])
        expected = n * p
        gradient = (observed[:, 1] - expected) @ np.stack([theta, np.ones_like(theta)], axis=1)
        powers = (expected * (1.0 - p)) @ np.stack([theta**2, theta, np.ones_like(theta)], axis=1)
        return Terms(gradient, powers[:, [0, 1, 1, 2]].reshape(-1, 2, 2))

    def to_published(self, free: Array) -> Published:
        """b = -e / a; asymptotes as probabilities."""
        line = Family.to_published(self, free[:, :2])
        c = expit(free[:, 2]) if self.has_c else line.c
        d = expit(free[:, 3]) if self.has_d else line.d
        return line._replace(c=c, d=d)

    def from_published(self, published: Published) -> Array:
        """e = -a b; asymptotes as logits."""
        logits = [logit(published.c)] * self.has_c + [logit(published.d)] * self.has_d
        return np.column_stack([Family.from_published(self, published), *logits])

    def published_jacobian(self, free: Array) -> Array:
        """(I, P, P) in the order a, b, c, d."""
        n_free = self.n_free(2)
        out = np.zeros((len(free), n_free, n_free))
        out[:, :2, :2] = Family.published_jacobian(self, free[:, :2])
        for column in range(2, n_free):
            out[:, column, column] = expit(free[:, column]) * expit(-free[:, column])
        return out

    def standardised(self, free: Array, mean: float, sd: float) -> Array:
        """a sd, e + a mean; asymptotes as they are."""
        out = free.copy()
        out[:, :2] = Family.standardised(self, free[:, :2], mean, sd)
        return out

    def start(self, proportions: Array) -> Array:
        """Slope 1, the intercept that gives the observed proportion, asymptotes at 0.15 and 0.95."""
        right = np.clip(proportions[:, 1], 0.01, 0.99)
        lower, upper = (0.15 if self.has_c else 0.0), (0.95 if self.has_d else 1.0)
        inner = np.clip((right - lower) / (upper - lower), 0.02, 0.98)
        # 1.16 = sqrt(1 + 1 / 2.89): the marginal curve is flatter than the conditional one (Camilli, 1994).
        columns = [np.ones(len(right)), 1.16 * logit(inner)]
        if self.has_c:
            columns.append(np.full(len(right), logit(np.array(lower))))
        if self.has_d:
            columns.append(np.full(len(right), logit(np.array(upper))))
        return np.stack(columns, axis=1)

    def _asymptotes(self, coefficients: Array) -> Asymptotes:
        c, not_c = coefficients[..., 2], coefficients[..., 3]
        if not self.has_d:
            return Asymptotes(c, not_c, np.float64(1.0), np.float64(0.0))
        return Asymptotes(c, not_c, coefficients[..., 4], coefficients[..., 5])


RASCH = Dichotomous("Rasch", tied=True, unit=True)  # Rasch (1960): difficulties b, and a free spread of theta
ONE_PL = Dichotomous("1PL", tied=True)  # one common slope a, difficulties b, theta ~ N(0, 1)
TWO_PL = Dichotomous("2PL")  # Birnbaum (1968): a and b an item
THREE_PL = Dichotomous("3PL", has_c=True)  # Birnbaum (1968): a, b and a lower asymptote c
FOUR_PL = Dichotomous("4PL", has_c=True, has_d=True)  # Barton & Lord (1981): both asymptotes, c < d
