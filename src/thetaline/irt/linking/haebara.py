"""Haebara (1980): item by item, category by category, the curves of both scales should agree."""

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.characteristic_curves import CharacteristicCurves


class Haebara(CharacteristicCurves):
    """Minimise Σ_q w_q Σ_i Σ_k (P_ik,reference − P_ik,new)²; categories as in Kim & Lee (2006)."""

    name = "haebara"

    def added(self, gaps: Array, _anchors: Anchors) -> Array:
        """Every category is squared on its own."""
        return gaps

    def row_weights(self, anchors: Anchors) -> Array:
        """All 1."""
        return np.ones((int(anchors.new.offsets[-1]), 1))
