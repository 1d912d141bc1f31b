"""What a family of item response functions is: one stateless contract, vectorised over items that share K."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Categories, Mask

UNIT_SLOPE = "unit"  # the slope that is published as 1: one for all families whose items have it


class Published(NamedTuple):
    """Parameters as they are printed: c and d are NaN where the family has none."""

    a: Array  # (I,)
    b: Array  # (I, K - 1)
    c: Array  # (I,)
    d: Array  # (I,)


class Terms(NamedTuple):
    """What a Newton step needs from an item's expected counts."""

    gradient: Array  # (I, P)
    information: Array  # (I, P, P)


class Curve(NamedTuple):
    """P, s = d log P / d theta and ds = d^2 log P / d theta^2, each (..., K); P' = P s and P'' = P (s^2 + ds)."""

    p: Array
    s: Array
    ds: Array

    @property
    def slope(self) -> Array:
        """dP / d theta, (..., K)."""
        return self.p * self.s

    @property
    def information(self) -> Array:
        """Fisher information about theta, the sum over k of P_k s_k^2, (...)."""
        return np.asarray(np.einsum("...k,...k,...k->...", self.p, self.s, self.s))

    @property
    def warm_bias(self) -> Array:
        """J = the sum over k of P'_k P''_k / P_k, (...); Warm (1989), eq. 8, for any number of categories."""
        return np.asarray(np.einsum("...k,...k->...", self.p * self.s, self.s * self.s + self.ds))


class AnswerDerivatives(NamedTuple):
    """s = d log P / d theta and ds = d^2 log P / d theta^2 of the answers that were given, (M,)."""

    s: Array
    ds: Array


class Family(ABC):
    """P(X = k | theta) for k = 0..K-1 with all its derivatives, free in slope-intercept form.

    The columns of `free` (I, P) are the slope a, the K - 1 intercepts e_k, then logit c and logit d where the family
    has asymptotes.  What is not abstract here serves every family whose thresholds are b_k = -e_k / a.
    """

    name: str  # that callers write: "2PL"
    polytomous: bool  # items may have more than two categories
    logistic: bool  # with two categories and no asymptotes P(X = 1) is the logistic function of a theta + e
    tied: bool  # all items of the family share one slope
    unit: bool  # that slope is published as 1, and the spread of theta is free
    has_c: bool  # there is a lower asymptote
    has_d: bool  # there is an upper asymptote
    disordered: bool = False  # thresholds may stand in any order, so that a category may be nobody's likeliest

    @property
    def shared_slope(self) -> str | None:
        """Name of the slope that all items of the family share, if they share one."""
        if not self.tied:
            return None
        return UNIT_SLOPE if self.unit else self.name

    @abstractmethod
    def log_prob(self, free: Array, theta: Array) -> Array:
        """Return log P(X = k | theta) of I items at Q abilities, shape (I, K, Q)."""

    @abstractmethod
    def d_log_prob(self, free: Array, theta: Array) -> Array:
        """Return the derivatives of `log_prob` in the free parameters, shape (I, P, K, Q)."""

    @abstractmethod
    def curve(self, coefficients: Array, theta: Array) -> Curve:
        """Return P and its derivatives in theta, (..., K), for `coefficients` (..., R) against `theta` (...)."""

    @abstractmethod
    def curvature_bound(self, free: Array, n_categories: int) -> Array:
        """Return the most that -d^2 log P / d theta^2 of any answer can be, (I,)."""

    @abstractmethod
    def start(self, proportions: Array) -> Array:
        """Return free parameters (I, P) to begin with, from the observed category proportions (I, K)."""

    def coefficients(self, free: Array) -> Array:
        """Return what `curve` and `answered` read of an item, (I, R): here the free parameters themselves."""
        return free

    def answered(self, coefficients: Array, theta: Array, answer: Categories) -> AnswerDerivatives:
        """Return the derivatives of log P(answer) in theta, (M,), for `coefficients` (M, R) and `theta` (M,)."""
        curve, row = self.curve(coefficients, theta), np.arange(len(answer))
        return AnswerDerivatives(curve.s[row, answer], curve.ds[row, answer])

    def n_free(self, n_categories: int) -> int:
        """Return P, the number of free parameters of one item: a slope and K - 1 intercepts."""
        return n_categories

    def valid(self, free: Array) -> Mask:
        """Say per item (I,) whether every category keeps a positive probability: here wherever all is finite."""
        return np.asarray(np.isfinite(free).all(axis=1))

    def scoring_terms(self, free: Array, theta: Array, observed: Array) -> Terms:
        """Return gradient and expected information at expected counts `observed` (I, K, Q), for Fisher scoring."""
        n_items, p = free.shape
        flat = self.d_log_prob(free, theta).reshape(n_items, p, -1)
        weight = np.exp(self.log_prob(free, theta)) * observed.sum(axis=1)[:, None]
        gradient = (flat @ observed.reshape(n_items, -1, 1))[:, :, 0]
        return Terms(gradient, (flat * weight.reshape(n_items, 1, -1)) @ flat.transpose(0, 2, 1))

    def to_published(self, free: Array) -> Published:
        """Convert free to published parameters: b_k = -e_k / a; a slope of exactly zero gives ±inf."""
        none = np.full(len(free), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            b = -free[:, 1:] / free[:, :1]
        return Published(free[:, 0].copy(), b, none, none)

    def from_published(self, published: Published) -> Array:
        """Convert published to free parameters, the inverse of `to_published`: e_k = -a b_k."""
        return np.column_stack([published.a, -published.a[:, None] * published.b])

    def published_jacobian(self, free: Array) -> Array:
        """Return d published / d free, shape (I, P, P); rows a, b_1.., then c and d where the family has them."""
        n_items, n_free = free.shape
        out = np.zeros((n_items, n_free, n_free))
        a = free[:, 0]
        out[:, 0, 0] = 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            out[:, 1:, 0] = free[:, 1:] / a[:, None] ** 2
            for k in range(1, n_free):
                out[:, k, k] = -1.0 / a
        return out

    def standardised(self, free: Array, mean: float, sd: float) -> Array:
        """Return the parameters for z, where theta = mean + sd z, that give the same curves: a sd, e_k + a mean."""
        out = free.copy()
        out[:, 1:] += mean * free[:, :1]
        out[:, 0] *= sd
        return out
