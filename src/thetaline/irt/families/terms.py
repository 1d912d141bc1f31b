"""Gradient and expected information of expected counts, for any family that has `log_prob` and `d_log_prob`."""

from typing import Protocol

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.families.base import Terms


class Curves(Protocol):
    """The part of a family that `scoring_terms` needs."""

    def log_prob(self, free: Array, theta: Array) -> Array:
        """(I, K, Q)."""

    def d_log_prob(self, free: Array, theta: Array) -> Array:
        """(I, P, K, Q)."""


def scoring_terms(curves: Curves, free: Array, theta: Array, observed: Array) -> Terms:
    """Sum derivatives of the log-probabilities over `observed` (I, K, Q), and their squares over what is expected."""
    n_items, p = free.shape
    flat = curves.d_log_prob(free, theta).reshape(n_items, p, -1)
    weight = np.exp(curves.log_prob(free, theta)) * observed.sum(axis=1)[:, None]
    gradient = (flat @ observed.reshape(n_items, -1, 1))[:, :, 0]
    return Terms(gradient, (flat * weight.reshape(n_items, 1, -1)) @ flat.transpose(0, 2, 1))
