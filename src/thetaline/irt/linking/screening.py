"""Which anchors drifted: robust z of their residuals, the worst left out, the link refitted, until none stands out."""

from typing import Any, NamedTuple

import numpy as np

from thetaline.irt.derivatives import Array, Mask
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.constants import Constants, Criterion, Method

MIN_ANCHORS = 3
DEFAULT_THRESHOLD = 2.7  # the fences of a box plot: 0.7 % of a normal sample lies beyond
FEW = 3.0  # n anchors are held to threshold × (1 + 3 / n): 3 to 6 % of 5 … 20 clean anchors are lost, not 6 to 14 %
NORMAL_MAD = 1.4826  # MAD of a normal sample × this = its standard deviation
LEAST_SPREAD = 1e-3  # banks are stored to three or four digits: below it residuals are rounding, not spread


class Residuals(NamedTuple):
    """Of each anchor on the reference scale: b_reference − (A b_new + B) and log a_reference − log(a_new / A), (n,)."""

    b: Array
    log_a: Array

    def robust_z(self, used: Mask | None = None) -> "Residuals":
        """Both as robust z: from the median, in units of 1.4826 MAD, of the anchors `used` (default: all)."""
        return Residuals(*(_robust_z(x, used) for x in self))


def residuals(anchors: Anchors, at: Constants) -> Residuals:
    """Residuals of a link; a polytomous anchor's b is the mean of its thresholds."""
    new, reference = anchors.locations()
    return Residuals(reference - (at.A * new + at.B), np.log(anchors.reference.a * at.A / anchors.new.a))


def screened(
    anchors: Anchors, method: Method, criterion: Criterion, threshold: float
) -> tuple[Anchors, Constants, dict[Any, str]]:
    """Drop the anchor with the largest |robust z| > `threshold`, refit, repeat; never fewer than 3 are left."""
    dropped: dict[Any, str] = {}
    at = method.constants(anchors, criterion)
    while anchors.n > MIN_ANCHORS:
        z = residuals(anchors, at).robust_z()
        worst = int(np.argmax(np.maximum(np.abs(z.b), np.abs(z.log_a))))
        name, value = max((("b", z.b[worst]), ("log a", z.log_a[worst])), key=lambda pair: abs(pair[1]))
        if abs(value) <= threshold * (1.0 + FEW / anchors.n):
            break
        dropped[anchors.ids[worst]] = f"drifted: robust z of {name} is {value:.1f}"
        anchors = anchors.keep(np.delete(np.arange(anchors.n), worst))
        at = method.constants(anchors, criterion, at)
    return anchors, at, dropped


def _robust_z(x: Array, used: Mask | None) -> Array:
    sample = x if used is None else x[used]
    centre = np.median(sample)
    n = sample.size
    # n / (n − 0.8): Croux & Rousseeuw (1992), the MAD of a small sample is too small
    spread = NORMAL_MAD * np.median(np.abs(sample - centre)) * n / (n - 0.8)
    return np.asarray((x - centre) / max(spread, LEAST_SPREAD))
