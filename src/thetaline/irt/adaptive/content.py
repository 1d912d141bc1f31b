"""Content limits: how many items of each area a test may and must have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._alignment import labelled_dict
from thetaline.irt._types import Index, Mask, short_repr
from thetaline.irt.items import Items

UNLIMITED = np.iinfo(np.intp).max


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ContentLimits:
    """`area` is {item id: area}; `at_most` and `at_least` are {area: number of items}; an area without one has none.

    Each is a mapping or a Series with these labels.

    A minimum needs `length`, the number of items of the test: when only as many places are left as minima are open,
    areas with open minima alone are eligible.  Raises InputError for limits that contradict each other or name an area
    that no item has; `next_item` and the simulations raise it for limits that their bank cannot serve.
    """

    area: Mapping[Any, Any]
    at_most: Mapping[Any, int] = field(default_factory=dict)
    at_least: Mapping[Any, int] = field(default_factory=dict)
    length: int | None = None

    def __post_init__(self) -> None:
        """Refuse limits that no test can keep, and limits of areas that no item has."""
        for name in ("area", "at_most", "at_least"):
            object.__setattr__(self, name, labelled_dict(getattr(self, name)))
        if self.at_least and self.length is None:
            raise InputError("at_least needs the length of the test")
        if self.length is not None and sum(self.at_least.values()) > self.length:
            raise InputError(f"the minima add up to {sum(self.at_least.values())}, the test has {self.length} items")
        crossed = [a for a, n in self.at_least.items() if n > self.at_most.get(a, n)]
        if crossed:
            raise InputError(f"at_least is above at_most in areas {crossed[:5]}")
        known = dict.fromkeys(self.area.values())
        strange = [a for a in dict.fromkeys([*self.at_most, *self.at_least]) if a not in known]
        if strange:
            raise InputError(
                f"limits are set for areas {strange[:5]}, which no item has; the areas are {list(known)[:5]}"
            )

    def of_length(self, n_items: int) -> Self:
        """The limits of a test that ends after `n_items` at the latest; raises InputError where the minima are more."""
        return self if self.length is None else replace(self, length=min(self.length, n_items))

    def capacity(self, items: Items) -> int:
        """The most items that a test from this bank may have."""
        areas = Areas.of(self, items)
        return int(np.minimum(areas.sizes, self._most(areas)).sum())

    def check_served(self, items: Items, administered: Mask) -> None:
        """Raise InputError where the bank cannot serve these limits, or no longer after those administered (N, I)."""
        areas = Areas.of(self, items)
        scarce = [a for a, n in self.at_least.items() if areas.size(a) < n]
        if scarce:
            first = scarce[0]
            raise InputError(
                f"the bank cannot serve the content limits: {areas.size(first)} items of area {first!r}, "
                f"at_least asks for {self.at_least[first]}; add items or lower the minimum"
            )
        if self.length is None:
            return
        if self.capacity(items) < self.length:
            raise InputError(
                f"the bank cannot serve the content limits: {self.capacity(items)} items may be asked under at_most, "
                f"the test has {self.length}"
            )
        counts = areas.counts(administered)
        owed, left = self._owed(areas, counts).sum(axis=1), self.length - counts.sum(axis=1)
        late = np.flatnonzero(owed > np.maximum(left, 0))
        if late.size:
            raise InputError(
                f"the content limits cannot be met any more: {owed[late[0]]} items of the minima are open, "
                f"{max(left[late[0]], 0)} places of {self.length} are left"
            )

    def eligible(self, items: Items, administered: Mask) -> Mask:
        """(N, I): the items whose area may be asked after those administered (N, I)."""
        areas = Areas.of(self, items)
        return np.asarray(self._open(areas, areas.counts(administered))[:, areas.of_item])

    def unmet(self, items: Items, administered: Mask) -> Mask:
        """(N,): whether a minimum is still open."""
        areas = Areas.of(self, items)
        return np.asarray(self._owed(areas, areas.counts(administered)).any(axis=1))

    def _open(self, areas: Areas, counts: Index) -> Mask:
        is_open = counts < self._most(areas)
        if self.length is None:
            return is_open
        owed = self._owed(areas, counts)
        pressing = self.length - counts.sum(axis=1) <= owed.sum(axis=1)
        return np.where((pressing & owed.any(axis=1))[:, None], is_open & (owed > 0), is_open)

    def _most(self, areas: Areas) -> Index:
        return np.array([self.at_most.get(area, UNLIMITED) for area in areas.names], dtype=np.intp)

    def _owed(self, areas: Areas, counts: Index) -> Index:
        least = np.array([self.at_least.get(area, 0) for area in areas.names], dtype=np.intp)
        return np.asarray(np.maximum(least - counts, 0))


class Areas(NamedTuple):
    """The content areas of a bank."""

    names: list[Any]  # (A,)
    of_item: Index  # (I,) position of each item's area

    @classmethod
    def of(cls, limits: ContentLimits, items: Items) -> Areas:
        """Look the items up; raises InputError for items without an area."""
        ids = items.ids.tolist()
        missing = [item for item in ids if item not in limits.area]
        if missing:
            raise InputError(f"{len(missing)} items have no content area, first {missing[:5]}")
        names = list(dict.fromkeys(limits.area[item] for item in ids))
        number = {area: i for i, area in enumerate(names)}
        return cls(names, np.array([number[limits.area[item]] for item in ids], dtype=np.intp))

    @property
    def sizes(self) -> Index:
        """Items of each area, (A,)."""
        return np.bincount(self.of_item, minlength=len(self.names))

    def size(self, area: Any) -> int:
        """Items of one area, 0 where the bank has none."""
        return int(self.sizes[self.names.index(area)]) if area in self.names else 0

    def counts(self, administered: Mask) -> Index:
        """(N, A) of those administered (N, I)."""
        return np.asarray(administered.astype(np.intp) @ np.eye(len(self.names), dtype=np.intp)[self.of_item])
