"""Slope and boundaries (a, e_1..e_{K-1}) against slope and thresholds (a, b_k = -e_k / a)."""

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.families.base import Published


def boundaries_to_published(free: Array) -> Published:
    """b_k = -e_k / a; a slope of exactly zero gives ±inf."""
    none = np.full(len(free), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        b = -free[:, 1:] / free[:, :1]
    return Published(free[:, 0].copy(), b, none, none)


def published_to_boundaries(published: Published) -> Array:
    """e_k = -a b_k."""
    return np.column_stack([published.a, -published.a[:, None] * published.b])


def thresholds_jacobian(free: Array) -> Array:
    """d (a, b_1..) / d (a, e_1..), shape (I, P, P)."""
    n_items, n_free = free.shape
    out = np.zeros((n_items, n_free, n_free))
    a = free[:, 0]
    out[:, 0, 0] = 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        out[:, 1:, 0] = free[:, 1:] / a[:, None] ** 2
        for k in range(1, n_free):
            out[:, k, k] = -1.0 / a
    return out
