"""What the moment methods share: B follows from A, and its derivatives from those of A."""

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.constants import Constants, Sensitivity


def shift(anchors: Anchors, slope: float) -> Constants:
    """B = mean(b_reference) − A mean(b_new) over all thresholds."""
    new, reference, _ = anchors.paired_thresholds()
    return Constants(slope, float(reference.mean() - slope * new.mean()))


def shift_sensitivity(
    anchors: Anchors, at: Constants, *, new: dict[str, Array], reference: dict[str, Array]
) -> Sensitivity:
    """Complete ∂A/∂(a, b) to ∂(A, B)/∂(a, b)."""
    b_new = anchors.new.thresholds
    mine = np.isfinite(b_new)
    share, mean_new = mine / np.count_nonzero(mine), float(np.nanmean(b_new))
    direct = {"new": -at.A * share, "reference": share}

    def pair(slope: dict[str, Array], side: str) -> dict[str, Array]:
        through_slope = {name: -mean_new * value for name, value in slope.items()}
        through_slope["b"] = through_slope["b"] + direct[side]
        return {name: np.stack([value, through_slope[name]]) for name, value in slope.items()}

    return Sensitivity(pair(new, "new"), pair(reference, "reference"))
