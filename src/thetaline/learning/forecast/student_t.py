"""Tails, quantiles and density of t distributions; with infinite degrees of freedom, of the normal."""

import numpy as np
from scipy.special import gammaln, stdtr, stdtrit

from thetaline.learning._types import Array

AS_NORMAL = 1e9  # degrees of freedom


def two_sided(t: Array, dof: Array) -> Array:
    """P(|T| ≥ |t|), elementwise."""
    return np.asarray(2 * stdtr(np.minimum(dof, AS_NORMAL), -np.abs(t)))


def quantile(p: Array, dof: Array) -> Array:
    """The value with P(T ≤ value) = p, elementwise."""
    return np.asarray(stdtrit(np.minimum(dof, AS_NORMAL), p))


def sd(dof: Array) -> Array:
    """Standard deviation; needs more than two degrees of freedom."""
    few = np.minimum(dof, AS_NORMAL)
    return np.asarray(np.sqrt(few / (few - 2)))


def log_density(z: Array, scale2: Array, dof: Array) -> Array:
    """Log of the density of z at a squared scale, elementwise."""
    squares = np.square(z) / scale2
    if np.isinf(dof).all():
        return np.asarray(-0.5 * (np.log(2 * np.pi * scale2) + squares))
    constant = gammaln((dof + 1) / 2) - gammaln(dof / 2) - 0.5 * np.log(np.pi * dof * scale2)
    return np.asarray(constant - (dof + 1) / 2 * np.log1p(squares / dof))
