"""Content limits: how many items of each area a test may and must have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._types import Index, Mask, short_repr
from thetaline.irt.items import Items


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ContentLimits:
    """`area` is {item id: area}; `at_most` and `at_least` are {area: number of items}; an area without one has none.

    A minimum needs `length`, the number of items of the test: when only as many places are left as minima are open,
    areas with open minima alone are eligible.
    """

    area: Mapping[Any, Any]
    at_most: Mapping[Any, int] = field(default_factory=dict)
    at_least: Mapping[Any, int] = field(default_factory=dict)
    length: int | None = None

    def __post_init__(self) -> None:
        """Refuse limits that no test can keep."""
        if self.at_least and self.length is None:
            raise InputError("at_least needs the length of the test")
        if self.length is not None and sum(self.at_least.values()) > self.length:
            raise InputError(f"the minima add up to {sum(self.at_least.values())}, the test has {self.length} items")
        crossed = [a for a, n in self.at_least.items() if n > self.at_most.get(a, n)]
        if crossed:
            raise InputError(f"at_least is above at_most in areas {crossed[:5]}")

    def eligible(self, items: Items, administered: Mask) -> Mask:
        """(N, I): the items whose area may be asked after those administered (N, I)."""
        missing = [item for item in items.ids.tolist() if item not in self.area]
        if missing:
            raise InputError(f"{len(missing)} items have no content area, first {missing[:5]}")
        areas = list(dict.fromkeys(self.area[item] for item in items.ids.tolist()))
        number = {area: i for i, area in enumerate(areas)}
        of = np.array([number[self.area[item]] for item in items.ids.tolist()], dtype=np.intp)
        counts = administered.astype(np.intp) @ np.eye(len(areas), dtype=np.intp)[of]
        return np.asarray(self._open(areas, counts)[:, of])

    def _open(self, areas: list[Any], counts: Index) -> Mask:
        most = np.array([self.at_most.get(area, np.iinfo(np.intp).max) for area in areas])
        least = np.array([self.at_least.get(area, 0) for area in areas])
        is_open = counts < most
        if self.length is None:
            return is_open
        owed = np.maximum(least - counts, 0)
        pressing = self.length - counts.sum(axis=1) <= owed.sum(axis=1)
        return np.where((pressing & owed.any(axis=1))[:, None], is_open & (owed > 0), is_open)
