"""Mean/sigma: match the mean and the spread of the difficulties (Marco, 1977)."""

import numpy as np

from thetaline.errors import ItemsError
from thetaline.irt._types import Array
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.constants import Constants, Criterion, Sensitivity
from thetaline.irt.linking.moments import shift, shift_sensitivity


class MeanSigma:
    """A = sd(b_reference) / sd(b_new), B = mean(b_reference) − A mean(b_new); thresholds count one by one."""

    name = "mean-sigma"

    def constants(self, anchors: Anchors, _criterion: Criterion, _start: Constants | None = None) -> Constants:
        """Closed form; raises ItemsError where the difficulties do not spread."""
        new, reference, _ = anchors.paired_thresholds()
        for side, b in (("new", new), ("reference", reference)):
            if np.ptp(b) == 0.0:
                raise ItemsError(f"all b are {b[0]:.4g} in {side}: mean/sigma has no A > 0; use stocking-lord")
        return shift(anchors, float(reference.std() / new.std()))

    def sensitivity(self, anchors: Anchors, _criterion: Criterion, at: Constants) -> Sensitivity:
        """∂A/∂b = ± A (b − mean b) / (T var b) with T thresholds."""
        new, reference = (at.A * _pull(items.thresholds) for items in (anchors.new, anchors.reference))
        flat = np.zeros(anchors.n)
        return shift_sensitivity(anchors, at, new={"a": flat, "b": -new}, reference={"a": flat, "b": reference})


def _pull(b: Array) -> Array:
    away = b - np.nanmean(b)
    return np.asarray(np.nan_to_num(away / np.nansum(away * away)))
