"""Mean/geometric mean: match the mean log slope and the mean difficulty (Mislevy & Bock, 1990)."""

import numpy as np

from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.constants import Constants, Criterion, Sensitivity
from thetaline.irt.linking.moments import shift, shift_sensitivity


class MeanGeometricMean:
    """A = exp(mean(log a_new − log a_reference)), B = mean(b_reference) − A mean(b_new)."""

    name = "mean-gmean"

    def constants(self, anchors: Anchors, _criterion: Criterion, _start: Constants | None = None) -> Constants:
        """Closed form."""
        return shift(anchors, float(np.exp(np.mean(np.log(anchors.new.a / anchors.reference.a)))))

    def sensitivity(self, anchors: Anchors, _criterion: Criterion, at: Constants) -> Sensitivity:
        """∂A/∂a = ± A / (n a)."""
        new, reference = (at.A / (anchors.n * items.a) for items in (anchors.new, anchors.reference))
        flat = np.zeros_like(anchors.new.thresholds)
        return shift_sensitivity(anchors, at, new={"a": new, "b": flat}, reference={"a": -reference, "b": flat})
