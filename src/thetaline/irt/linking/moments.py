"""What the moment methods share: B follows from A, and its derivatives from those of A."""

import numpy as np

from thetaline.errors import ItemsError
from thetaline.irt._types import Array
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.method import Constants, Criterion, Sensitivity


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
