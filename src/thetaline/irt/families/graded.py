"""Graded response model, Samejima (1969).

P(X >= k | theta) = 1 / (1 + exp(-(a theta + e_k))), b_k = -e_k / a, e decreasing.
"""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array, Mask
from thetaline.irt.families.base import Published, Terms
from thetaline.irt.families.logit import expit, log_expit, logit
from thetaline.irt.families.terms import scoring_terms
from thetaline.irt.families.thresholds import boundaries_to_published, published_to_boundaries, thresholds_jacobian


@dataclass(frozen=True, slots=True)
class Graded:
    """Free in (a, e_1..e_{K-1}).

    With x_k = a theta + e_k, P_k = expit(x_k) - expit(x_{k+1}) = expit(x_k) expit(-x_{k+1}) (1 - exp(x_{k+1} - x_k)),
    whose log is exact in both tails; the last factor does not depend on theta.
    """

    name: str = "GRM"
    polytomous: bool = True
    tied: bool = False
    unit: bool = False
    has_c: bool = False
    has_d: bool = False

    def n_free(self, n_categories: int) -> int:
        """A slope and K - 1 boundaries."""
        return n_categories

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
        gaps = np.diff(free[:, 1:], axis=1)
        out[:, 1:-1] += np.log1p(-np.exp(gaps))[:, :, None]
        return out

    def d_log_prob(self, free: Array, theta: Array) -> Array:
        """(I, P, K, Q)."""
        from_above, from_below = _sides(free, theta)
        n_free = free.shape[1]
        out = np.zeros((len(free), n_free, n_free, theta.size))
        out[:, 0] = self._slope_part(free, theta) * theta
        for k in range(1, n_free):
            out[:, k, k] = from_above[:, k - 1]
            out[:, k, k - 1] = from_below[:, k - 1]
        return out

    def d_theta(self, free: Array, theta: Array) -> Array:
        """(I, K, Q)."""
        return self._slope_part(free, theta) * free[:, 0, None, None]

    def _slope_part(self, free: Array, theta: Array) -> Array:
        """Derivative of log P_k in a common shift of its boundaries: expit(-x_k) - expit(x_{k+1})."""
        x = _boundaries(free, theta)
        out = np.zeros((len(free), free.shape[1], theta.size))
        out[:, 1:] = expit(-x)
        out[:, :-1] -= expit(x)
        return out

    def scoring_terms(self, free: Array, theta: Array, observed: Array) -> Terms:
        """From the derivatives of the log-probabilities."""
        return scoring_terms(self, free, theta, observed)

    def to_published(self, free: Array) -> Published:
        """b_k = -e_k / a."""
        return boundaries_to_published(free)

    def from_published(self, published: Published) -> Array:
        """e_k = -a b_k."""
        return published_to_boundaries(published)

    def published_jacobian(self, free: Array) -> Array:
        """(I, K, K) in the order a, b_1..b_{K-1}."""
        return thresholds_jacobian(free)

    def standardised(self, free: Array, mean: float, sd: float) -> Array:
        """a sd, e_k + a mean."""
        out = free.copy()
        out[:, 1:] += mean * free[:, :1]
        out[:, 0] *= sd
        return out

    def start(self, proportions: Array) -> Array:
        """Slope 1 and the boundaries that give the observed cumulative proportions."""
        smooth = (proportions + 0.01) / (proportions + 0.01).sum(axis=1, keepdims=True)
        at_least = np.cumsum(smooth[:, ::-1], axis=1)[:, ::-1][:, 1:]
        return np.column_stack([np.ones(len(proportions)), 1.16 * logit(at_least)])


def _boundaries(free: Array, theta: Array) -> Array:
    """x_k = a theta + e_k, (I, K - 1, Q)."""
    return np.multiply.outer(free[:, 0], theta)[:, None, :] + free[:, 1:, None]


def _sides(free: Array, theta: Array) -> tuple[Array, Array]:
    """d log P_k / d e_k and d log P_{k-1} / d e_k for k = 1..K-1, each (I, K - 1, Q)."""
    x = _boundaries(free, theta)
    above, below = expit(-x), -expit(x)
    crowding = 1.0 / np.expm1(-np.diff(free[:, 1:], axis=1))[:, :, None]
    above[:, :-1] += crowding
    below[:, 1:] -= crowding
    return above, below


GRM = Graded()
