"""Which anchors drifted: robust z of their residuals, the worst left out, the link refitted, until none stands out.

An anchor with few answers, or at the end of the range, misses its reference by more than others without having
drifted.  Where the anchors' standard errors are known a residual is therefore divided by sqrt(se² + τ²), with τ² what
the residuals' spread has beyond the median se²; where they are not, all count alike.
"""

from typing import Any, NamedTuple

import numpy as np

from thetaline.irt._types import Array, Mask
from thetaline.irt.linking.anchor_errors import AnchorErrors
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.constants import Constants, Criterion, Method

MIN_ANCHORS = 3
DEFAULT_THRESHOLD = 2.7  # the fences of a box plot: 0.7 % of a normal sample lies beyond
FEW = 3.0  # n anchors are held to threshold × (1 + 3 / n): 3 to 6 % of 5 … 20 clean anchors are lost, not 6 to 14 %
NORMAL_MAD = 1.4826  # MAD of a normal sample × this = its standard deviation
LEAST_SPREAD = 1e-3  # banks are stored to three or four digits: below it residuals are rounding, not spread


class Screening(NamedTuple):
    """How anchors are linked and from which robust z on one is dropped; an infinite threshold drops none."""

    method: Method
    criterion: Criterion
    threshold: float


class Residuals(NamedTuple):
    """Of each anchor on the reference scale: b_reference − (A b_new + B) and log a_reference − log(a_new / A), (n,)."""

    b: Array
    log_a: Array

    def robust_z(self, used: Mask | None = None, errors: AnchorErrors | None = None) -> "Residuals":
        """Both as robust z: from the median, in units of 1.4826 MAD, of the anchors `used` (default: all).

        `errors` are the variances of the residuals by sampling; without them the anchors count as equally exact.
        """
        variances = errors or AnchorErrors(np.zeros_like(self.b), np.zeros_like(self.log_a))
        return Residuals(*(_robust_z(x / _scale(x, v), used) for x, v in zip(self, variances, strict=True)))


def residuals(anchors: Anchors, at: Constants) -> Residuals:
    """Residuals of a link; a polytomous anchor's b is the mean of its thresholds."""
    new, reference = anchors.locations()
    return Residuals(reference - (at.A * new + at.B), np.log(anchors.reference.a * at.A / anchors.new.a))


def screened(anchors: Anchors, errors: AnchorErrors, plan: Screening) -> tuple[Anchors, Constants, dict[Any, str]]:
    """Drop the anchor with the largest |robust z| > `threshold`, refit, repeat; never fewer than 3 are left."""
    dropped: dict[Any, str] = {}
    at = plan.method.constants(anchors, plan.criterion)
    while anchors.n > MIN_ANCHORS:
        z = residuals(anchors, at).robust_z(errors=errors)
        worst = int(np.argmax(np.maximum(np.abs(z.b), np.abs(z.log_a))))
        name, value = max((("b", z.b[worst]), ("log a", z.log_a[worst])), key=lambda pair: abs(pair[1]))
        if abs(value) <= plan.threshold * (1.0 + FEW / anchors.n):
            break
        dropped[anchors.ids[worst]] = f"drifted: robust z of {name} is {value:.1f}"
        left = np.delete(np.arange(anchors.n), worst)
        anchors, errors = anchors.keep(left), errors.keep(left)
        at = plan.method.constants(anchors, plan.criterion, at)
    return anchors, at, dropped


def _scale(x: Array, variance: Array) -> Array:
    """sqrt(se² + τ²) of each residual, 1 where all are equally exact."""
    if not variance.any():
        return np.ones_like(x)
    spread = NORMAL_MAD * np.median(np.abs(x - np.median(x)))
    between = max(0.0, spread**2 - float(np.median(variance)))
    return np.asarray(np.sqrt(variance + between))


def _robust_z(x: Array, used: Mask | None) -> Array:
    sample = x if used is None else x[used]
    centre = np.median(sample)
    n = sample.size
    # n / (n − 0.8): Croux & Rousseeuw (1992), the MAD of a small sample is too small
    spread = NORMAL_MAD * np.median(np.abs(sample - centre)) * n / (n - 0.8)
    return np.asarray((x - centre) / max(spread, LEAST_SPREAD))
