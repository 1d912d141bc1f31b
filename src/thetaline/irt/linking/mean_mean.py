"""Mean/mean: match the mean slope and the mean difficulty (Loyd & Hoover, 1980)."""

import numpy as np

from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.constants import Constants, Criterion, Sensitivity
from thetaline.irt.linking.moments import shift, shift_sensitivity


class MeanMean:
    """A = mean(a_new) / mean(a_reference), B = mean(b_reference) − A mean(b_new)."""

    name = "mean-mean"

    def constants(self, anchors: Anchors, _criterion: Criterion, _start: Constants | None = None) -> Constants:
        """Closed form."""
        return shift(anchors, float(anchors.new.a.mean() / anchors.reference.a.mean()))

    def sensitivity(self, anchors: Anchors, _criterion: Criterion, at: Constants) -> Sensitivity:
        """∂A/∂a_new = 1 / Σ a_reference, ∂A/∂a_reference = −A / Σ a_reference."""
        total = anchors.reference.a.sum()
        each = np.full(anchors.n, 1.0 / total)
        flat = np.zeros_like(anchors.new.thresholds)
        return shift_sensitivity(anchors, at, new={"a": each, "b": flat}, reference={"a": -at.A * each, "b": flat})
