"""Which anchors drifted: robust z of their residuals, the worst left out, the link refitted, until none stands out.

An anchor with few answers, or at the end of the range, misses its reference by more than others without having
drifted.  Where the anchors' standard errors are known a residual is therefore divided by sqrt(se² + τ²), with τ² what
the residuals' spread has beyond the median se²; where they are not, all count alike.
"""

from typing import Any, NamedTuple

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.covariance import ItemCovariance
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.method import Constants, Criterion, LinkMethod

MIN_ANCHORS = 3
DEFAULT_THRESHOLD = 2.7  # the fences of a box plot: 0.7 % of a normal sample lies beyond
FEW = 3.0  # n anchors are held to threshold × (1 + 3 / n): 3 to 6 % of 5 … 20 clean anchors are lost, not 6 to 14 %
NORMAL_MAD = 1.4826  # MAD of a normal sample × this = its standard deviation
LEAST_SPREAD = 1e-3  # banks are stored to three or four digits: below it residuals are rounding, not spread


class AnchorErrors(NamedTuple):
    """Variances of each anchor's b on the scale it was estimated on, and of its log a, summed over the scales, (n,)."""

    b: Array
    log_a: Array

    def keep(self, which: Index) -> "AnchorErrors":
        """Those at the positions `which`."""
        return AnchorErrors(self.b[which], self.log_a[which])


def anchor_errors(anchors: Anchors, covariances: dict[str, ItemCovariance | None]) -> AnchorErrors:
    """Add up what is known of both scales; a scale without covariance is taken to be as exact as the other.

    Zeros where neither scale has one, or where an anchor's variances are missing: all then count as equally exact.
    """
    known = [
        _of_one_scale(anchors, slopes, covariance)
        for slopes, covariance in (
            (anchors.new.a, covariances["new"]),
            (anchors.reference.a, covariances["reference"]),
        )
        if covariance is not None
    ]
    if not known:
        return AnchorErrors(np.zeros(anchors.n), np.zeros(anchors.n))
    total = [sum(columns) * (2.0 / len(known)) for columns in zip(*known, strict=True)]
    return AnchorErrors(*(np.zeros(anchors.n) if np.isnan(v).any() else v for v in total))


def _of_one_scale(anchors: Anchors, slopes: Array, covariance: ItemCovariance) -> AnchorErrors:
    """A polytomous anchor's b is the mean of its thresholds; their covariances are left out."""
    variances = np.diagonal(covariance.matrix)
    letters = np.array([str(name)[0] for name in covariance.names])
    place = {item: i for i, item in enumerate(anchors.ids.tolist())}
    row = np.array([place.get(item, -1) for item in covariance.ids], dtype=np.intp)
    b, n_b = (np.zeros(anchors.n) for _ in range(2))
    of_b = (letters == "b") & (row >= 0)
    np.add.at(b, row[of_b], variances[of_b])
    np.add.at(n_b, row[of_b], 1.0)
    a = np.zeros(anchors.n)  # Rasch slopes are set and have no error
    of_a = (letters == "a") & (row >= 0)
    a[row[of_a]] = variances[of_a]
    with np.errstate(invalid="ignore"):
        return AnchorErrors(b / n_b**2, a / slopes**2)


class Screening(NamedTuple):
    """How anchors are linked and from which robust z on one is dropped; an infinite threshold drops none."""

    method: LinkMethod
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


def screened(anchors: Anchors, errors: AnchorErrors, screening: Screening) -> tuple[Anchors, Constants, dict[Any, str]]:
    """Drop the anchor with the largest |robust z| > `threshold`, refit, repeat; never fewer than 3 are left."""
    dropped: dict[Any, str] = {}
    at = screening.method.constants(anchors, screening.criterion)
    while anchors.n > MIN_ANCHORS and not at.failure:
        z = residuals(anchors, at).robust_z(errors=errors)
        worst = int(np.argmax(np.maximum(np.abs(z.b), np.abs(z.log_a))))
        name, value = max((("b", z.b[worst]), ("log a", z.log_a[worst])), key=lambda pair: abs(pair[1]))
        if abs(value) <= screening.threshold * (1.0 + FEW / anchors.n):
            break
        dropped[anchors.ids[worst]] = f"drifted: robust z of {name} is {value:.1f}"
        left = np.delete(np.arange(anchors.n), worst)
        anchors, errors = anchors.keep(left), errors.keep(left)
        at = screening.method.constants(anchors, screening.criterion, at)
    return anchors, at, dropped


def _scale(x: Array, variance: Array) -> Array:
    """sqrt(se² + τ²) of each residual, 1 where all are equally exact."""
    if not variance.any():
        return np.ones_like(x)
    spread = NORMAL_MAD * np.median(np.abs(x - np.median(x)))
    between = max(0.0, spread**2 - float(np.median(variance)))
    return np.asarray(
        np.maximum(np.sqrt(np.maximum(variance, 0.0) + between), LEAST_SPREAD)
    )  # some may be known exactly


def _robust_z(x: Array, used: Mask | None) -> Array:
    sample = x if used is None else x[used]
    centre = np.median(sample)
    n = sample.size
    # n / (n − 0.8): Croux & Rousseeuw (1992), the MAD of a small sample is too small
    spread = NORMAL_MAD * np.median(np.abs(sample - centre)) * n / (n - 0.8)
    return np.asarray((x - centre) / max(spread, LEAST_SPREAD))
