"""Shares of right answers with their uncertainty."""

import numpy as np
from scipy.special import betaincinv

from thetaline.learning._types import Array


def jeffreys_interval(right: Array, n: Array, *, level: float = 0.95) -> tuple[Array, Array]:
    """Bounds of a share of `n` > 0 answers: quantiles of Beta(right + ½, wrong + ½), open at 0 and 1.

    Where none or all are right the interval reaches 0 or 1 (Brown, Cai & DasGupta 2001).  `n` need not be whole.
    """
    right, n = np.asarray(right, float), np.asarray(n, float)
    tail = (1 - level) / 2
    low = np.where(right > 0, betaincinv(right + 0.5, n - right + 0.5, tail), 0.0)
    high = np.where(right < n, betaincinv(right + 0.5, n - right + 0.5, 1 - tail), 1.0)
    return low, high
