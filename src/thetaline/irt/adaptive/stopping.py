"""When an adaptive test ends."""

from dataclasses import dataclass

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._types import Array, Index, Mask


@dataclass(frozen=True, slots=True)
class StopRule:
    """Stop at `max_items`, or from `min_items` on when the standard error is `se` or less (None: length alone)."""

    max_items: int = 30
    min_items: int = 1
    se: float | None = None

    def __post_init__(self) -> None:
        """Refuse rules that cannot be met."""
        if not 1 <= self.min_items <= self.max_items:
            raise InputError(f"1 ≤ min_items ≤ max_items is needed, not {self.min_items} and {self.max_items}")
        if self.se is not None and not self.se > 0:
            raise InputError(f"a test that stops at a standard error needs se > 0, not {self.se}")

    def stopped(self, n_items: Index, se: Array) -> Mask:
        """Which tests, of so many items and such standard errors (N,), are at their end."""
        precise = np.zeros(len(n_items), dtype=bool) if self.se is None else se <= self.se
        return np.asarray((n_items >= self.max_items) | ((n_items >= self.min_items) & precise))
