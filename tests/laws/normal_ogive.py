"""A family that the library does not have, in one file: the normal ogive Φ(aθ + e), Lord (1952)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtri

from thetaline.irt.families import Curve, Family

LOG_ROOT_2_PI = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class NormalOgive(Family):
    """Free in (a, e); b = -e / a."""

    name: str = "2PNO"
    polytomous: bool = False
    logistic: bool = False
    tied: bool = False
    unit: bool = False
    has_c: bool = False
    has_d: bool = False

    def log_prob(self, free, theta):
        z = np.multiply.outer(free[:, 0], theta) + free[:, 1, None]
        return np.stack([log_ndtr(-z), log_ndtr(z)], axis=1)

    def d_log_prob(self, free, theta):
        by_intercept = np.stack(hazards(np.multiply.outer(free[:, 0], theta) + free[:, 1, None]), axis=1)
        return np.stack([by_intercept * theta, by_intercept], axis=1)

    def curve(self, free, theta):
        a, z = free[..., 0], free[..., 0] * theta + free[..., 1]
        by_z = np.stack(hazards(z), axis=-1)
        p = np.exp(np.stack([log_ndtr(-z), log_ndtr(z)], axis=-1))
        return Curve(p, a[..., None] * by_z, np.square(a)[..., None] * -by_z * (by_z + z[..., None]))

    def curvature_bound(self, free, _n_categories):
        return free[:, 0] ** 2

    def start(self, proportions):
        right = np.clip(proportions[:, 1], 0.01, 0.99)
        return np.column_stack([np.full(len(right), 0.7), 1.22 * ndtri(right)])


def hazards(z):
    """d log P / dz of wrong and right, whose own derivatives are -h (h + z)."""
    log_density = -0.5 * z**2 - LOG_ROOT_2_PI
    return -np.exp(log_density - log_ndtr(-z)), np.exp(log_density - log_ndtr(z))


NORMAL_OGIVE = NormalOgive()
