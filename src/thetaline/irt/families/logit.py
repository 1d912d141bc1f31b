"""Logistic pieces that stay exact in both tails."""

import numpy as np

from thetaline.irt._types import Array


def log_expit(x: Array) -> Array:
    """Return log(1 / (1 + exp(-x))) without overflow; exp and log1p here are SIMD loops, logaddexp is not."""
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))


def expit(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) with full relative precision in the lower tail."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def logit(p: Array) -> Array:
    """Return log(p / (1 - p)); ±inf at the ends."""
    with np.errstate(divide="ignore"):
        return np.log(p) - np.log1p(-p)
