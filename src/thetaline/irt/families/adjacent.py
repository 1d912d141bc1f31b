"""Adjacent categories: log P(X = k) - log P(X = k - 1) = a (theta - b_k), from which PCM and GPCM follow.

Masters (1982); Muraki (1992).  Free in (a, e_1..e_{K-1}) with log P(X = k) = k a theta + e_k - log of the sum, e_0 = 0.
"""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._log_space import log_softmax, softmax
from thetaline.irt._types import Array
from thetaline.irt.families.base import Curve, Family, Published


@dataclass(frozen=True, slots=True)
class AdjacentCategories(Family):
    """A partial credit family; b_k = -(e_k - e_{k-1}) / a."""

    name: str
    tied: bool = False
    unit: bool = False
    polytomous: bool = True
    logistic: bool = True
    has_c: bool = False
    has_d: bool = False
    disordered: bool = True

    def log_prob(self, free: Array, theta: Array) -> Array:
        """(I, K, Q)."""
        k = np.arange(free.shape[1], dtype=np.float64)
        eta = k[:, None] * np.multiply.outer(free[:, 0], theta)[:, None, :]
        eta[:, 1:] += free[:, 1:, None]
        return log_softmax(eta, axis=1)

    def d_log_prob(self, free: Array, theta: Array) -> Array:
        """(I, P, K, Q)."""
        p = np.exp(self.log_prob(free, theta))
        n_categories = free.shape[1]
        out = np.empty((len(free), n_categories, n_categories, theta.size))
        out[:, 0] = _score_residual(p) * theta
        for k in range(1, n_categories):
            out[:, k] = -p[:, k, None]
            out[:, k, k] += 1.0
        return out

    def curve(self, coefficients: Array, theta: Array) -> Curve:
        """(..., K); s_k = a (k - E X), whose derivative is -a^2 var X in every category (Muraki, 1992)."""
        a, k = coefficients[..., 0], np.arange(coefficients.shape[-1], dtype=np.float64)
        eta = k * (a * theta)[..., None]
        eta[..., 1:] += coefficients[..., 1:]
        p = softmax(eta)
        away = k - (p @ k)[..., None]
        variance = np.einsum("...k,...k,...k->...", p, away, away)
        ds = np.broadcast_to(-(np.square(a) * variance)[..., None], p.shape)
        return Curve(p, a[..., None] * away, ds)

    def curvature_bound(self, free: Array, n_categories: int) -> Array:
        """a^2 times the most that the variance of a score on 0..K-1 can be."""
        return np.asarray((n_categories - 1) ** 2 / 4.0 * free[:, 0] ** 2)

    def to_published(self, free: Array) -> Published:
        """b_k = -(e_k - e_{k-1}) / a."""
        return Family.to_published(self, free @ _step_matrix(free.shape[1]).T)

    def from_published(self, published: Published) -> Array:
        """e_k = -a (b_1 + .. + b_k)."""
        free = Family.from_published(self, published)
        free[:, 1:] = np.cumsum(free[:, 1:], axis=1)
        return free

    def published_jacobian(self, free: Array) -> Array:
        """(I, K, K) in the order a, b_1..b_{K-1}."""
        difference = _step_matrix(free.shape[1])
        return Family.published_jacobian(self, free @ difference.T) @ difference

    def standardised(self, free: Array, mean: float, sd: float) -> Array:
        """a sd, e_k + k a mean."""
        out = free.copy()
        out[:, 1:] += mean * free[:, :1] * np.arange(1.0, free.shape[1])
        out[:, 0] *= sd
        return out

    def start(self, proportions: Array) -> Array:
        """Slope 1 and steps from the observed proportions."""
        smooth = (proportions + 0.01) / (proportions + 0.01).sum(axis=1, keepdims=True)
        return np.column_stack([np.ones(len(smooth)), np.log(smooth[:, 1:] / smooth[:, :1])])


def _score_residual(p: Array) -> Array:
    """k - E(X | theta), (I, K, Q)."""
    k = np.arange(p.shape[1], dtype=np.float64)[:, None]
    return np.asarray(k - (k * p).sum(axis=1, keepdims=True))


def _step_matrix(n_free: int) -> Array:
    """Take (a, e_1, e_2, ..) to (a, e_1, e_2 - e_1, ..)."""
    out = np.eye(n_free)
    rows = np.arange(2, n_free)
    out[rows, rows - 1] = -1.0
    return out


PCM = AdjacentCategories("PCM", tied=True, unit=True)  # Masters (1982): slope 1, b_k, and a free spread of theta
GPCM = AdjacentCategories("GPCM")  # Muraki (1992): a slope a and step difficulties b_k an item
