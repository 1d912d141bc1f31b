"""One step of selection for N persons at once: value, limits, exposure."""

from dataclasses import dataclass, field

import numpy as np

from thetaline.irt.adaptive.belief import Belief
from thetaline.irt.adaptive.content import ContentLimits
from thetaline.irt.adaptive.criteria import Criterion, maximum_information
from thetaline.irt.adaptive.exposure import Best, Exposure, Pick
from thetaline.irt.derivatives import Array, Mask
from thetaline.irt.items import Items


@dataclass(frozen=True, slots=True)
class Selection:
    """How the next item is chosen."""

    criterion: Criterion = maximum_information
    exposure: Exposure = field(default_factory=Best)
    content: ContentLimits | None = None

    def values(self, items: Items, belief: Belief, administered: Mask, closed: Mask) -> Array:
        """(N, I): worth of each item now, −inf where it was asked, is closed, or its area is full."""
        may = ~(administered | closed)
        if self.content is not None:
            may &= self.content.eligible(items, administered)
        return np.where(may, self.criterion(items, belief), -np.inf)

    def pick(self, items: Items, belief: Belief, administered: Mask, closed: Mask, rng: np.random.Generator) -> Pick:
        """Choose for every person."""
        return self.exposure.pick(items, self.values(items, belief, administered, closed), rng)
