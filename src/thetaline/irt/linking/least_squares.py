"""Levenberg–Marquardt for two unknowns: exact where the residuals vanish, and free of a finite-difference Hessian."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Mask

MAX_STEPS = 200
TINY_STEP = 1e-11
SLACK = 1.0 + 1e-12  # the sum of squares is flat to rounding long before the step is tiny: do not stop for its noise
LARGEST_DAMPING = 1e8  # beyond it a step is shorter than rounding: there is no lower point nearby


class Minimum(NamedTuple):
    """Where the sum of squares is least, its value, and why the search must not be trusted (empty: it can)."""

    x: Array
    cost: float
    failure: str


Residuals = Callable[[Array], tuple[Array, Array]]


def least_squares(residuals: Residuals, start: Array, *, free: Mask) -> Minimum:
    """Minimise Σ r² from `start` over the unknowns marked `free`; `residuals(x)` gives r (n,) and its slopes (2, n)."""
    x, damping = start, 1e-3
    r, slopes = residuals(x)
    for _ in range(MAX_STEPS):
        step = _step(r, slopes * free[:, None], damping)
        if np.abs(step).max() < TINY_STEP * (1.0 + np.abs(x).max()):
            return Minimum(x + step, float(r @ r), "")
        r_there, slopes_there = residuals(x + step)
        if r_there @ r_there <= SLACK * (r @ r):
            x, r, slopes, damping = x + step, r_there, slopes_there, damping / 10.0
        elif damping > LARGEST_DAMPING:
            return Minimum(x, float(r @ r), "")
        else:
            damping *= 10.0
    return Minimum(x, float(r @ r), f"the minimiser was still moving after {MAX_STEPS} steps")


def _step(r: Array, slopes: Array, damping: float) -> Array:
    normal = slopes @ slopes.T
    normal[np.diag_indices(2)] += damping * np.diagonal(normal)
    return np.asarray(-np.linalg.lstsq(normal, slopes @ r, rcond=None)[0])
