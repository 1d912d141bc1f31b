"""Parameter drift: items that changed between two calibrations, told apart from a scale that moved as a whole."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from thetaline.errors import ItemsError
from thetaline.irt._arguments import check_kinds
from thetaline.irt._coding import frame
from thetaline.irt._types import Array, Ids, Ints, short_repr
from thetaline.irt.covariance import ItemErrors, refuse_foreign
from thetaline.irt.invariance import P_DIF_LIMITS, Calibrated, Invariance, invariance
from thetaline.irt.items import Items, refuse_positions
from thetaline.irt.linking.link import BY_POSITION_ADVICE
from thetaline.irt.linking.method import Constants
from thetaline.irt.linking.standard_errors import LinkErrors
from thetaline.irt.p_values import check_level, false_discovery

if TYPE_CHECKING:
    import pandas as pd


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """Changes of I items from a reference to a new calibration, on the reference's scale: θ_reference = A θ_new + B."""

    ids: Ids  # (I,) items in both
    link: Constants  # A and B
    se: LinkErrors  # of A and B
    change_a: Array  # (I,) new − reference
    change_b: Array  # (I,) or (I, K − 1)
    z_a: Array  # (I,) robust z of log a
    z_b: Array  # (I,) robust z of b
    statistic: Array  # (I,) Wald
    df: Ints
    p: Array
    p_adjusted: Array  # (I,) for the number of items (Benjamini & Hochberg 1995)
    effect: Array  # (I,) change of the mean score per point of it: 0.05 is worth a look, 0.10 is large
    anchors: Ids  # ids that carried A and B in the end
    rounds: int
    settled: bool
    notes: tuple[str, ...] = ()  # what the two calibrations say of their items, where the covariances are theirs

    def drifted(self, alpha: float = 0.05, *, least_effect: float = P_DIF_LIMITS[0]) -> Ids:
        """Ids with an adjusted p below `alpha` and an effect of at least `least_effect`, the largest first."""
        flag = np.flatnonzero((self.p_adjusted < alpha) & (np.abs(self.effect) >= least_effect))
        return self.ids[flag[np.argsort(-np.abs(self.effect[flag]), kind="stable")]]

    def to_frame(self) -> "pd.DataFrame":
        """One row an item; needs pandas."""
        b = self.change_b if self.change_b.ndim == 1 else np.nanmean(self.change_b, axis=1)
        change = {"item_id": self.ids, "change_a": self.change_a, "change_b": b, "z_a": self.z_a, "z_b": self.z_b}
        test = {"statistic": self.statistic, "df": self.df, "p": self.p, "p_adjusted": self.p_adjusted}
        return frame({**change, **test, "effect": self.effect, "anchor": np.isin(self.ids, self.anchors)})


def drift(
    *,
    new: Items,
    reference: Items,
    new_covariance: ItemErrors | None = None,
    reference_covariance: ItemErrors | None = None,
    alpha: float = 0.05,
    least_anchors: int = 3,
    by_position: bool = False,
) -> Drift:
    """Test every common item for a change beyond the shift of scale that the stable ones have in common.

    The covariances are those of `fit.covariance()`, blocks of items, or `Items` of standard errors; a calibration
    without one counts as known exactly. Robust z (Huynh & Meyer 2010) choose the first anchors, the Wald tests purify
    them; the error of A and B is part of each test. `effect` is averaged over θ ~ N(0, 1) on the reference's scale.

    Items whose ids are only positions, of matrices without names, are the same items only where `by_position` says so.

    Raises ItemsError for fewer than `least_anchors` items in common, where no slope is positive on both sides,
    where neither calibration has a covariance, for one that did not converge, and for a covariance of other items;
    InputError for an alpha that is no
    level.
    """
    check_kinds(new=(new, Items), reference=(reference, Items))
    check_level(alpha)
    if new.by_position and reference.by_position and not by_position:
        refuse_positions("new", "reference", BY_POSITION_ADVICE)
    if new_covariance is None and reference_covariance is None:
        raise ItemsError("drift is tested against the error of the estimates; give the covariance of a calibration")
    refuse_foreign(new, new_covariance, "new_covariance")
    refuse_foreign(reference, reference_covariance, "reference_covariance")
    sides = Calibrated(reference, reference_covariance), Calibrated(new, new_covariance)
    found = _result(invariance(*sides, alpha=alpha, least_anchors=least_anchors, purified=True))
    named = zip(("reference", "new"), sides, strict=True)
    return replace(found, notes=tuple(f"{name}: {note}" for name, side in named for note in side.notes))


def _result(found: Invariance) -> Drift:
    tests = found.tests
    return Drift(
        ids=found.reference.ids,
        link=found.shift.constants,
        se=found.se,
        change_a=found.new.a - found.reference.a,
        change_b=found.new.b - found.reference.b,
        z_a=found.robust_z.a,
        z_b=found.robust_z.b,
        statistic=tests.wald,
        df=tests.degrees,
        p=tests.p,
        p_adjusted=false_discovery(tests.p),
        effect=found.effect(mean=0.0, sd=1.0),
        anchors=found.anchor_ids,
        rounds=found.purified.rounds,
        settled=found.purified.settled,
    )
