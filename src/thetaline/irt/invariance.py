"""Which items kept their parameters from one calibration to another, in time (drift) or between groups (DIF)?"""

from typing import NamedTuple

import numpy as np

from thetaline.errors import ItemsError
from thetaline.irt._types import Array, Ids, Mask
from thetaline.irt.covariance import ItemCovariance, ItemErrors
from thetaline.irt.items import Items
from thetaline.irt.linking.standard_errors import LinkErrors
from thetaline.irt.purification import Purified, purify
from thetaline.irt.wald import Differences, Estimates, Shift, differences, estimates, shift_between

LARGE_Z = 2.7  # robust z beyond which an item is no anchor to begin with (Huynh & Meyer 2010)
IQR_TO_SD = 0.7413  # interquartile range to standard deviation of a normal
NODES = np.linspace(-5.0, 5.0, 81)
P_DIF_LIMITS = (0.05, 0.10)  # standardised p-difference: negligible below, large above (Dorans & Holland 1993)


class Calibrated(NamedTuple):
    """A bank with the covariance of its parameters, or their standard errors; None: known without error."""

    items: Items
    covariance: ItemErrors | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the calibration found, where the covariance is its own."""
        return self.covariance.notes if isinstance(self.covariance, ItemCovariance) else ()

    def sound(self, ids: Ids) -> Mask:
        """(I,) whether the answers determine an item's estimate: others have errors that say nothing."""
        doubtful = self.covariance.doubtful if isinstance(self.covariance, ItemCovariance) else frozenset()
        return np.array([name not in doubtful for name in ids.tolist()])

    def refuse_unconverged(self, name: str) -> None:
        """Raise ItemsError for the estimates of a calibration that came to no end."""
        if isinstance(self.covariance, ItemCovariance) and self.covariance.status != "converged":
            raise ItemsError(f"the {name} calibration gives no errors to test with; it is {self.covariance.status}")


class RobustZ(NamedTuple):
    """How far an item's change lies from the median change, in robust standard deviations, (I,) each."""

    a: Array  # of log a
    b: Array  # of the mean of an item's b

    @property
    def small(self) -> Mask:
        """Neither is large; an undefined z is not small."""
        return (np.abs(np.nan_to_num(self.a)) <= LARGE_Z) & (np.abs(np.nan_to_num(self.b, nan=np.inf)) <= LARGE_Z)


class Invariance(NamedTuple):
    """The items in common, the shift of scale between the calibrations, and the test of every item."""

    reference: Items
    new: Items  # on the reference's scale
    shift: Shift
    se: LinkErrors
    robust_z: RobustZ
    tests: Differences
    purified: Purified

    @property
    def anchor_ids(self) -> Ids:
        """Items that carried the shift in the end."""
        return self.reference.ids[self.purified.anchors]

    def effect(self, *, mean: float, sd: float) -> Array:
        """Mean over θ ~ N(mean, sd²) of (E_new − E_reference) / (K − 1), (I,): positive where the new is easier."""
        weights = np.exp(-0.5 * NODES**2)
        theta = mean + sd * NODES
        gap = self.new.expected_score(theta) - self.reference.expected_score(theta)
        return np.asarray(gap @ (weights / weights.sum()) / (self.reference.n_categories - 1))


def invariance(
    reference: Calibrated, new: Calibrated, *, alpha: float, least_anchors: int, purified: bool
) -> Invariance:
    """Start from the anchors with a small robust z, then drop what fails the Wald test and link again until it stays.

    Raises ItemsError for fewer than `least_anchors` items in common, and for a calibration that did not converge.
    """
    reference.refuse_unconverged("reference")
    new.refuse_unconverged("new")
    ids = _common(reference.items, new.items, least_anchors)
    items = reference.items.take(ids), new.items.take(ids)
    before, after = (estimates(i, side.covariance) for i, side in zip(items, (reference, new), strict=True))
    z = robust_z(*items)
    able = (items[0].a > 0) & (items[1].a > 0) & reference.sound(items[0].ids) & new.sound(items[1].ids)
    if able.sum() < least_anchors:
        raise ItemsError(
            f"only {able.sum()} of {len(ids)} common items have a positive slope that the answers determine in both "
            f"calibrations; {least_anchors} are needed to join the scales"
        )
    start, level = (z.small & able, alpha) if purified else (able, 0.0)
    if start.sum() < least_anchors:
        start = able
    found = _purified(before, after, start, able, alpha=level, least=least_anchors)
    shift = shift_between(before, after, found.anchors)
    moved = items[1].rescaled(shift.constants.A, shift.constants.B)
    return Invariance(items[0], moved, shift, shift.errors(before, after), z, differences(before, after, shift), found)


def _common(reference: Items, new: Items, least: int) -> list[object]:
    known = dict(zip(reference.ids.tolist(), reference.n_categories, strict=True))
    ids = [i for i, k in zip(new.ids.tolist(), new.n_categories, strict=True) if known.get(i) == k]
    if len(ids) < least:
        raise ItemsError(
            f"{len(ids)} items are in both calibrations with the same number of categories, {least} are needed; "
            "are the ids of one type and from one bank?"
        )
    return ids


def _purified(before: Estimates, after: Estimates, start: Mask, able: Mask, *, alpha: float, least: int) -> Purified:
    def test(anchors: Mask) -> Array:
        p = differences(before, after, shift_between(before, after, anchors)).p
        return np.where(able, p, np.nan)

    return purify(test, start, alpha=alpha, least=least)


def robust_z(reference: Items, new: Items) -> RobustZ:
    """z = (change − median) / (0.7413 IQR) of log a and of mean b, after the spread of the scales is taken out."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(new.a / reference.a)
    spread = np.exp(np.nanmedian(np.where(np.isfinite(ratio), ratio, np.nan)))
    location = np.nanmean(reference.thresholds - spread * new.thresholds, axis=1)
    return RobustZ(_standardised(ratio), _standardised(location))


def _standardised(change: Array) -> Array:
    known = np.where(np.isfinite(change), change, np.nan)
    low, middle, high = np.nanpercentile(known, [25, 50, 75])
    spread = IQR_TO_SD * (high - low)
    # Rasch slopes do not differ at all: nobody is far from the median then.
    return np.asarray((known - middle) / spread if spread > 1e-12 else np.zeros_like(known) * known)
