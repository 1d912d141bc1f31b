"""What a calibration tells beside what is published: items and learners that changed, references that lie elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.arrays import Array, Index, Objects
from thetaline.jobs.calibration.engine import AbilityEstimates, ItemEstimates, positions

# Wald statistic of two parameters from which on an item counts, and from which on as one: 3 % of stable items lie
# beyond the first, and a stable item counts for 0.004 on average.
MOVED, SURELY_MOVED = 7.0, 22.0
SET_SLOPE = 0.05  # error of a slope without one
CHANGED = 3.0  # errors of a learner's change of θ
FEWEST_REFERENCES = 5


@dataclass(frozen=True, slots=True, eq=False)
class PublishedAbilities:
    """Current θ of learners, (N,)."""

    user_ids: Objects
    theta: Array
    se: Array


def moved_share(new: ItemEstimates, old: ItemEstimates) -> tuple[float | None, int]:
    """Share of the common items whose (a, a b) differ beyond their errors (Wald), and the number of common items.

    An item counts the more, the surer its change is, so that many changes of which few are sure by themselves tell.
    """
    place = positions(new.item_ids, old.item_ids)
    here = np.flatnonzero(place >= 0)
    (values, spread), (others, other_spread) = _slope_intercept(new, here), _slope_intercept(old, place[here])
    covariance = spread + other_spread
    with np.errstate(invalid="ignore"):
        tested = np.linalg.det(covariance) > 0
    if not tested.any():
        return None, 0
    change = (values - others)[tested]
    wald = (change * np.linalg.solve(covariance[tested], change[:, :, None])[:, :, 0]).sum(axis=1)
    counted = np.clip((wald - MOVED) / (SURELY_MOVED - MOVED), 0.0, 1.0)
    return float(counted.mean()), int(tested.sum())


def _slope_intercept(items: ItemEstimates, at: Index) -> tuple[Array, Array]:
    """(a, a b) of some items, (n, 2), and their covariance, (n, 2, 2), NaN where the error of b is unknown."""
    a, b = items.parameters["a"][at], items.parameters["b"][at]
    se_a, se_b = (items.se.get(name, np.full(items.item_ids.size, np.nan))[at] for name in "ab")
    cross = np.zeros(at.size) if items.covariance_ab is None else np.nan_to_num(items.covariance_ab[at])
    own = np.empty((at.size, 2, 2))
    # A slope that all items share has an error with all of them; one that is given has none: a little keeps the test.
    own[:, 0, 0] = np.where(se_a > 0, se_a, SET_SLOPE) ** 2
    own[:, 1, 1] = se_b**2
    own[:, 0, 1] = own[:, 1, 0] = np.where(se_a > 0, cross, 0.0)
    onto = np.zeros((at.size, 2, 2))
    onto[:, 0, 0], onto[:, 1, 0], onto[:, 1, 1] = 1.0, b, a
    covariance = onto @ own @ onto.transpose(0, 2, 1)
    return np.column_stack([a, a * b]), covariance


class ThetaChange(NamedTuple):
    """Of the learners in both calibrations; None where they are too few or all alike."""

    shift: float | None  # median
    correlation: float | None
    changed: float | None  # share of those who moved from the others by more than their errors
    n: int


def theta_change(new: AbilityEstimates, old: PublishedAbilities) -> ThetaChange:
    """How learners moved from where they were published."""
    place = positions(new.user_ids, old.user_ids)
    at = np.flatnonzero(place >= 0)
    if at.size < 2:
        return ThetaChange(None, None, None, int(at.size))
    here, there = new.theta[at], old.theta[place[at]]
    spread = here.std() > 0 and there.std() > 0
    moved = here - there - np.median(here - there)
    beyond = np.abs(moved) > CHANGED * np.hypot(new.se[at], old.se[place[at]])
    return ThetaChange(
        shift=float(np.median(here - there)),
        correlation=float(np.corrcoef(here, there)[0, 1]) if spread else None,
        changed=float(beyond.mean()),
        n=int(at.size),
    )


def anchors_rmsd(anchors: Sequence[AnchorItem], estimates: ItemEstimates) -> float:
    """Root mean square of b − b_reference, weighted by what is known of b where that is known; NaN for no anchor.

    Unweighted, a few anchors far from everybody would decide.
    """
    place = positions(np.array([anchor.item_id for anchor in anchors], dtype=object), estimates.item_ids)
    known = np.flatnonzero(place >= 0)
    if not known.size:
        return float("nan")
    gap = estimates.parameters["b"][place[known]] - np.array([anchors[k].b for k in known.tolist()])
    se = estimates.se.get("b", np.full(estimates.item_ids.size, np.nan))[place[known]]
    weight = np.where((se > 0).all(), se, 1.0) ** -2.0
    return float(np.sqrt(np.average(gap**2, weights=weight)))


def references_gap(anchors: Sequence[AnchorItem], published: ItemEstimates) -> float | None:
    """How far the references lie from what was published of the same items; None for few of them.

    The largest of the mean change of b, and of the logarithms of the mean ratio of a and of the ratio of the spreads of
    b, items weighted by what is known of their b: another unit, metric or origin moves all by the same.  What was
    published was linked to these references, so that none of the three has an error to speak of.
    """
    place = positions(np.array([anchor.item_id for anchor in anchors], dtype=object), published.item_ids)
    known = np.flatnonzero((place >= 0) & (published.se["b"][place] > 0))
    if known.size < FEWEST_REFERENCES:
        return None
    a, b = np.array([(anchors[k].a, anchors[k].b) for k in known.tolist()]).T
    of_a, of_b = (published.parameters[name][place[known]] for name in "ab")
    weight = published.se["b"][place[known]] ** -2.0
    both = np.cov(b, of_b, aweights=weight)
    spreads = 0.5 * abs(np.log(both[0, 0] / both[1, 1])) if min(both[0, 0], both[1, 1]) > 0 else 0.0
    return float(max(abs(np.log(a / of_a).mean()), abs(np.average(b - of_b, weights=weight)), spreads))
