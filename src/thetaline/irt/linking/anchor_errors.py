"""How exactly each anchor was estimated, so that screening does not take an imprecise anchor for a drifted one."""

from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Index
from thetaline.irt.covariance import ItemCovariance
from thetaline.irt.linking.anchors import Anchors


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
