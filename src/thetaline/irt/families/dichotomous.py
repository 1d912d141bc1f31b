"""Right and wrong: the logistic curve between a lower and an upper asymptote, from which the 1PL to 4PL follow.

P(X = 1 | theta) = c + (d - c) / (1 + exp(-(a theta + e))), with b = -e / a.  Birnbaum (1968); Barton & Lord (1981).
"""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array, Mask
from thetaline.irt.families.base import Published, Terms
from thetaline.irt.families.logit import expit, log_expit, logit
from thetaline.irt.families.terms import scoring_terms


@dataclass(frozen=True, slots=True)
class Dichotomous:
    """A logistic family; free in (a, e), then logit c and logit d where it has asymptotes."""

    name: str
    tied: bool = False
    unit: bool = False
    has_c: bool = False
    has_d: bool = False

    @property
    def polytomous(self) -> bool:
        """Two categories only."""
        return False

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
        by_eta = self._d_eta(free, theta)
        parts = [by_eta * theta, by_eta]
        if self.has_c:
            parts.append(self._d_asymptote(free, theta, column=2))
        if self.has_d:
            parts.append(self._d_asymptote(free, theta, column=3))
        return np.stack(parts, axis=1)

    def d_theta(self, free: Array, theta: Array) -> Array:
        """(I, 2, Q)."""
        return self._d_eta(free, theta) * free[:, 0, None, None]

    def _d_eta(self, free: Array, theta: Array) -> Array:
        """Derivative in a theta + e, (I, 2, Q); exp of a difference of logs: no tail divides zero by zero."""
        eta = np.multiply.outer(free[:, 0], theta) + free[:, 1, None]
        if not self.has_c:
            return np.stack([-expit(eta), expit(-eta)], axis=1)
        log_p = self.log_prob(free, theta)
        lower = expit(free[:, 2])
        upper = expit(free[:, 3]) if self.has_d else np.ones(len(free))
        log_steep = np.log(upper - lower)[:, None] + log_expit(eta) + log_expit(-eta)
        return np.stack([-np.exp(log_steep - log_p[:, 0]), np.exp(log_steep - log_p[:, 1])], axis=1)

    def _d_asymptote(self, free: Array, theta: Array, *, column: int) -> Array:
        """Derivative in logit c (column 2) or logit d (column 3), (I, 2, Q)."""
        eta = np.multiply.outer(free[:, 0], theta) + free[:, 1, None]
        reached = log_expit(-eta) if column == 2 else log_expit(eta)
        asymptote = free[:, column, None]
        log_step = log_expit(asymptote) + log_expit(-asymptote) + reached
        log_p = self.log_prob(free, theta)
        return np.stack([-np.exp(log_step - log_p[:, 0]), np.exp(log_step - log_p[:, 1])], axis=1)

    def scoring_terms(self, free: Array, theta: Array, observed: Array) -> Terms:
        """Without asymptotes in closed form: residuals and P (1 - P) times powers of theta."""
        if self.has_c:
            return scoring_terms(self, free, theta, observed)
        n = observed[:, 0] + observed[:, 1]
        p = expit(np.multiply.outer(free[:, 0], theta) + free[:, 1, None])
        expected = n * p
        gradient = (observed[:, 1] - expected) @ np.stack([theta, np.ones_like(theta)], axis=1)
        powers = (expected * (1.0 - p)) @ np.stack([theta**2, theta, np.ones_like(theta)], axis=1)
        return Terms(gradient, powers[:, [0, 1, 1, 2]].reshape(-1, 2, 2))

    def to_published(self, free: Array) -> Published:
        """b = -e / a; a slope of exactly zero has no difficulty and gives ±inf."""
        none = np.full(len(free), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            b = -free[:, 1] / free[:, 0]
        c = expit(free[:, 2]) if self.has_c else none
        d = expit(free[:, 3]) if self.has_d else none
        return Published(free[:, 0].copy(), b[:, None], c, d)

    def from_published(self, published: Published) -> Array:
        """e = -a b."""
        columns = [published.a, -published.a * published.b[:, 0]]
        if self.has_c:
            columns.append(logit(published.c))
        if self.has_d:
            columns.append(logit(published.d))
        return np.stack(columns, axis=1)

    def published_jacobian(self, free: Array) -> Array:
        """(I, P, P) in the order a, b, c, d."""
        n_free = self.n_free(2)
        out = np.zeros((len(free), n_free, n_free))
        a, e = free[:, 0], free[:, 1]
        out[:, 0, 0] = 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            out[:, 1, 0] = e / a**2
            out[:, 1, 1] = -1.0 / a
        for column in range(2, n_free):
            out[:, column, column] = expit(free[:, column]) * expit(-free[:, column])
        return out

    def standardised(self, free: Array, mean: float, sd: float) -> Array:
        """a sd, e + a mean; asymptotes as they are."""
        out = free.copy()
        out[:, 1] += mean * free[:, 0]
        out[:, 0] *= sd
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
