"""Mean and spread of a group each of whose members is known with an error of its own."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri

from thetaline.learning._types import Array

LEVEL = 0.95


class GroupMoments(NamedTuple):
    """The mean of the members' true values with its standard error; their standard deviation with its 95 % interval."""

    mean: float
    mean_se: float
    sd: float
    sd_low: float
    sd_high: float


def random_effects(values: Array, se: Array) -> GroupMoments:
    """Of n ≥ 2 unbiased `values` x_i = μ + u_i + e_i, u ~ N(0, τ²), e_i ~ N(0, se_i²).

    τ² solves Q(τ²) = n − 1 (Paule & Mandel 1982); its bounds are where Q meets the quantiles of χ²(n − 1) (Viechtbauer
    2007, Q-profile).  The error of the mean takes τ as known.
    """
    free = values.size - 1
    most, least = (float(chdtri(free, tail)) for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    sd, low, high = (np.sqrt(_variance_at(level, values, se)) for level in (free, most, least))
    weight = 1 / (np.square(se) + sd**2)
    mean, mean_se = float(weight @ values / weight.sum()), float(weight.sum() ** -0.5)
    return GroupMoments(mean, mean_se, float(sd), float(low), float(high))


def without_prior(mean: Array, sd: Array, prior_mean: float, prior_sd: float) -> tuple[Array, Array]:
    """What the data alone say, N(x, se²), of posteriors N(mean, sd²) under a prior N(prior_mean, prior_sd²).

    NaN where the posterior is no narrower than the prior.
    """
    precision = 1 / np.square(sd) - 1 / prior_sd**2
    precision = np.where(precision > 0, precision, np.nan)
    return (mean / np.square(sd) - prior_mean / prior_sd**2) / precision, 1 / np.sqrt(precision)


def _variance_at(level: float, values: Array, se: Array) -> float:
    """τ² with Q(τ²) = level; 0 where Q is below it everywhere, since Q falls."""

    def excess(variance: float) -> float:
        weight = 1 / (np.square(se) + variance)
        return float(weight @ np.square(values - weight @ values / weight.sum())) - level

    if excess(0.0) <= 0:
        return 0.0
    most = float(np.square(np.ptp(values)) * values.size / level)  # Q < n · range² / τ²
    return float(brentq(excess, 0.0, most))
