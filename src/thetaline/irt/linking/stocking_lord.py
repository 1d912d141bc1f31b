"""Stocking & Lord (1983): the expected total scores on the anchors should agree."""

from thetaline.irt._types import Array
from thetaline.irt.derivatives import row_scores
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.characteristic_curves import CharacteristicCurves


class StockingLord(CharacteristicCurves):
    """Minimise Σ_q w_q (T_reference − T_new)², T = Σ_i Σ_k k P_ik (polytomous: Baker, 1992)."""

    name = "stocking-lord"

    def added(self, gaps: Array, anchors: Anchors) -> Array:
        """One row: the gap of the test characteristic curves."""
        return row_scores(anchors.new)[None, :] @ gaps

    def row_weights(self, anchors: Anchors) -> Array:
        """A category counts with its score."""
        return row_scores(anchors.new)[:, None]
