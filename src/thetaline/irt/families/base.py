"""What a family of item response functions is: one stateless contract, vectorised over items that share K."""

from typing import NamedTuple, Protocol

from thetaline.irt._types import Array, Mask


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


class Family(Protocol):
    """P(X = k | theta) for k = 0..K-1, free in slope–intercept form with asymptotes on the logit scale.

    The columns of `free` (I, P) are the slope a, the K - 1 intercepts, then logit c and logit d where the
    family has them.
    `tied` families share one slope; `unit` families publish that slope as 1 and leave the population's sd free.
    """

    @property
    def name(self) -> str:
        """The name that callers write: "2PL"."""

    @property
    def polytomous(self) -> bool:
        """Whether items may have more than two categories."""

    @property
    def tied(self) -> bool:
        """Whether all items of the family share one slope."""

    @property
    def unit(self) -> bool:
        """Whether the published slope is 1 and the spread of theta is free."""

    @property
    def has_c(self) -> bool:
        """Whether there is a lower asymptote."""

    @property
    def has_d(self) -> bool:
        """Whether there is an upper asymptote."""

    def n_free(self, n_categories: int) -> int:
        """Return P, the number of free parameters of one item."""

    def valid(self, free: Array) -> Mask:
        """Say per item (I,) whether every category keeps a positive probability."""

    def log_prob(self, free: Array, theta: Array) -> Array:
        """Return log P(X = k | theta), shape (I, K, Q)."""

    def d_log_prob(self, free: Array, theta: Array) -> Array:
        """Return the derivatives of `log_prob` in the free parameters, shape (I, P, K, Q)."""

    def d_theta(self, free: Array, theta: Array) -> Array:
        """Return the derivative of `log_prob` in theta, shape (I, K, Q)."""

    def scoring_terms(self, free: Array, theta: Array, observed: Array) -> Terms:
        """Return gradient and expected information at expected counts `observed` (I, K, Q)."""

    def to_published(self, free: Array) -> Published:
        """Convert free to published parameters."""

    def from_published(self, published: Published) -> Array:
        """Convert published to free parameters, the inverse of `to_published`."""

    def published_jacobian(self, free: Array) -> Array:
        """Return d published / d free, shape (I, P, P); rows a, b_1.., then c and d where the family has them."""

    def standardised(self, free: Array, mean: float, sd: float) -> Array:
        """Return the parameters for z, where theta = mean + sd z, that give the same curves."""

    def start(self, proportions: Array) -> Array:
        """Return free parameters (I, P) to begin with, from the observed category proportions (I, K)."""
