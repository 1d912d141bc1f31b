"""The items that two calibrations share, matched by id, and which of them can carry a link."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from thetaline.errors import ItemsError
from thetaline.irt._types import Array, Index
from thetaline.irt.families import FAMILIES, same_curve
from thetaline.irt.items import Items


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """The same items as estimated on the new and on the reference scale, in one order."""

    new: Items
    reference: Items

    @property
    def ids(self) -> Any:
        """(n,) item ids."""
        return self.new.ids

    @property
    def n(self) -> int:
        """Number of anchors."""
        return self.new.n_items

    @property
    def known_slope(self) -> float | None:
        """A, where the model says it: Rasch and PCM slopes are set, not estimated, so that only B is free."""
        models = {*self.new.model.tolist(), *self.reference.model.tolist()}
        if not all(FAMILIES[name].unit for name in models):
            return None
        return float(self.new.a[0] / self.reference.a[0])

    def keep(self, which: Index) -> Self:
        """Those at the positions `which`."""
        ids = self.ids[which]
        return type(self)(self.new.take(ids), self.reference.take(ids))

    def swapped(self) -> Self:
        """The same anchors with the two scales exchanged."""
        return type(self)(new=self.reference, reference=self.new)

    def paired_thresholds(self) -> tuple[Array, Array, Index]:
        """Every b (or threshold) on the new and the reference scale, (T,) each, with the anchor that it belongs to."""
        width = min(self.new.thresholds.shape[1], self.reference.thresholds.shape[1])
        new, reference = self.new.thresholds[:, :width], self.reference.thresholds[:, :width]
        owner, step = np.nonzero(np.isfinite(new))
        return new[owner, step], reference[owner, step], owner

    def locations(self) -> tuple[Array, Array]:
        """Mean of an anchor's thresholds on the new and on the reference scale, (n,) each."""
        new, reference, owner = self.paired_thresholds()
        count = np.bincount(owner, minlength=self.n)
        return np.bincount(owner, new, self.n) / count, np.bincount(owner, reference, self.n) / count


def common_items(new: Items, reference: Items) -> Anchors:
    """Match by id, in the order of `new`; raises ItemsError when nothing matches."""
    known = set(reference.ids.tolist())
    ids = [i for i in new.ids.tolist() if i in known]
    if not ids:
        raise ItemsError(
            f"no item of `new` ({_sample(new)}) is in `reference` ({_sample(reference)}); "
            "are the ids of one type and from one bank?"
        )
    return Anchors(new.take(ids), reference.take(ids))


def opposite_slopes(anchors: Anchors) -> str:
    """Say where most slopes mean that A is negative; empty where they do not."""
    n_opposite = np.count_nonzero(anchors.new.a * anchors.reference.a < 0)
    if 2 * n_opposite <= anchors.n:
        return ""
    return (
        f"{n_opposite} of {anchors.n} anchors have slopes of opposite sign, so that A would be negative; "
        "is one of the scales reversed?"
    )


def usable(anchors: Anchors) -> tuple[Anchors, dict[Any, str]]:
    """Leave out the anchors that cannot carry a link, with the reasons."""
    faults = [_fault(anchors, i) for i in range(anchors.n)]
    fine = np.array([not why for why in faults])
    reasons = {i: why for i, why in zip(anchors.ids.tolist(), faults, strict=True) if why}
    return anchors.keep(np.flatnonzero(fine)), reasons


def _fault(anchors: Anchors, i: int) -> str:
    new, reference = anchors.new, anchors.reference
    categories = int(new.n_categories[i]), int(reference.n_categories[i])
    if categories[0] != categories[1]:
        return f"{categories[0]} categories in new, {categories[1]} in reference"
    if not same_curve(str(new.model[i]), str(reference.model[i]), categories[0]):
        return f"{new.model[i]} in new, {reference.model[i]} in reference"
    for side, items in (("new", new), ("reference", reference)):
        if items.a[i] <= 0:
            return f"a = {items.a[i]:.3g} ≤ 0 in {side}"
    return ""


def _sample(items: Items) -> str:
    first = ", ".join(repr(i) for i in items.ids[:3].tolist())
    return first + (", …" if items.n_items > 3 else "")
