"""What a link did to its anchors, as a value that a plot can draw and a report can print."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thetaline.irt._types import Array, Mask, short_repr
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.method import Constants, LinkWeights
from thetaline.irt.linking.screening import residuals


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class LinkDiagnostics:
    """Residuals of n anchors on the reference scale, and the anchors' expected scores before and after linking.

    `used` says which anchors made the link; the robust z are measured against those.
    """

    ids: Any  # (n,)
    used: Mask  # (n,) bool
    b_new: Array  # (n,) as estimated, on the new scale; mean threshold where polytomous
    b_reference: Array  # (n,)
    residual_b: Array  # (n,) b_reference − (A b_new + B)
    residual_log_a: Array  # (n,) log a_reference − log(a_new / A)
    z_b: Array  # (n,) robust z
    z_log_a: Array  # (n,)
    theta: Array  # (Q,) on the reference scale
    reference: Array  # (n, Q) expected scores from the reference parameters
    before: Array  # (n, Q) from the new parameters as they came
    after: Array  # (n, Q) from the linked parameters
    weight: Array  # (Q,) sums to 1

    @property
    def test_curves(self) -> tuple[Array, Array, Array]:
        """Expected total scores (Q,) on the anchors used: reference, before, after."""
        used = self.used
        return self.reference[used].sum(axis=0), self.before[used].sum(axis=0), self.after[used].sum(axis=0)

    @property
    def rmsd(self) -> float:
        """Root mean square of the used anchors' residuals of b; NaN where none was used."""
        return float(np.sqrt(np.mean(np.square(self.residual_b[self.used])))) if self.used.any() else float("nan")

    @property
    def curve_rmsd(self) -> Array:
        """(n,) root weighted mean squared gap between an anchor's reference and linked expected score."""
        return np.asarray(np.sqrt(np.square(self.reference - self.after) @ self.weight))


def diagnose(anchors: Anchors, used: Mask, at: Constants, weights: LinkWeights) -> LinkDiagnostics:
    """Measure every anchor, the dropped ones too, against the link."""
    found = residuals(anchors, at)
    z = found.robust_z(used if used.any() else None)
    b_new, b_reference = anchors.locations()
    return LinkDiagnostics(
        ids=anchors.ids,
        used=used,
        b_new=b_new,
        b_reference=b_reference,
        residual_b=found.b,
        residual_log_a=found.log_a,
        z_b=z.b,
        z_log_a=z.log_a,
        theta=weights.theta,
        reference=anchors.reference.expected_score(weights.theta),
        before=anchors.new.expected_score(weights.theta),
        after=anchors.new.expected_score((weights.theta - at.B) / at.A),
        weight=weights.weight / weights.weight.sum(),
    )
