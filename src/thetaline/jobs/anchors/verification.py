"""Compare the frozen references of anchors with the published parameters. Values in, values out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thetaline.jobs.anchors.references import AnchorSet
from thetaline.jobs.anchors.selection import n_strata, strata
from thetaline.jobs.arrays import Array, Mask

MOVED_SE = 3.0  # standard errors: one stable anchor in 370 lies beyond


@dataclass(frozen=True, slots=True)
class MovedAnchor:
    """An anchor whose published difficulty differs from its reference."""

    item_id: str
    b_reference: float
    b_published: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorReport:
    """What `verify` found; `uncovered` are ranges of difficulty with items but without an anchor."""

    n_usable: int
    n_needed: int
    malformed: Mapping[str, str]
    moved: tuple[MovedAnchor, ...]
    unpublished: tuple[str, ...]
    uncovered: tuple[tuple[float, float], ...]

    def faults(self) -> tuple[str, ...]:
        """One sentence a fault; empty when the anchors are fit for linking. An unpublished anchor is no fault."""
        found = [f"{item_id}: {reason}" for item_id, reason in self.malformed.items()]
        found += [f"{one.item_id}: b moved from {one.b_reference:.3f} to {one.b_published:.3f}" for one in self.moved]
        found += [f"no anchor among the items with b from {low:.2f} to {high:.2f}" for low, high in self.uncovered]
        if self.n_usable < self.n_needed:
            found.append(f"{self.n_usable} usable anchors, {self.n_needed} needed")
        return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class PublishedDifficulties:
    """b and its standard error, (I,) each, of the items with these ids; se is NaN where it is unknown."""

    item_ids: Sequence[str]
    b: Array
    se: Array


def verify_anchors(
    anchors: AnchorSet, published: PublishedDifficulties, *, max_move: float, at_least: int | None
) -> AnchorReport:
    """Compare each reference with the published b, and look for ranges of difficulty without an anchor.

    An anchor has moved when b lies more than `max_move` from its reference and beyond what the standard errors explain
    (3 of a difference, the reference taken to be as exact as the published value).
    """
    b = published.b
    allowed = np.fmax(max_move, MOVED_SE * np.sqrt(2.0) * published.se)
    tolerance = dict(zip(published.item_ids, allowed.tolist(), strict=True))
    current = dict(zip(published.item_ids, b.tolist(), strict=True))
    pairs = [MovedAnchor(one.item_id, one.b, current[one.item_id]) for one in anchors if one.item_id in current]
    stable = {one.item_id for one in pairs if abs(one.b_published - one.b_reference) <= tolerance[one.item_id]}
    is_stable = np.array([item_id in stable for item_id in published.item_ids])
    return AnchorReport(
        n_usable=len(anchors),
        n_needed=needed(b.size) if at_least is None else at_least,
        malformed=anchors.malformed,
        moved=tuple(one for one in pairs if one.item_id not in stable),
        unpublished=tuple(item_id for item_id in anchors.item_ids if item_id not in current),
        uncovered=_uncovered(b, is_stable, n_strata(len(anchors), b.size)),
    )


def needed(n_items: int) -> int:
    """A fifth of the items, at most 30, at least 3 (after Kolen & Brennan, 2014, chapter 8)."""
    return max(3, min(30, math.ceil(n_items / 5)))


def _uncovered(b: Array, anchored: Mask, n: int) -> tuple[tuple[float, float], ...]:
    stratum = strata(b, n)
    empty = sorted(set(stratum.tolist()) - set(stratum[anchored].tolist()))
    return tuple((float(b[stratum == one].min()), float(b[stratum == one].max())) for one in empty)
