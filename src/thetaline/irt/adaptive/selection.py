"""One step of selection for N persons at once: value, limits, exposure."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.adaptive.content import ContentLimits
from thetaline.irt.adaptive.criteria import Criterion, maximum_information
from thetaline.irt.adaptive.exposure import Best, Exposure, Pick
from thetaline.irt.adaptive.posterior import Belief
from thetaline.irt.items import Items


class Out(NamedTuple):
    """Items that are out for a person, (N, I) each: asked already, or held back by exposure control."""

    asked: Mask
    closed: Mask

    def of(self, who: Index) -> "Out":
        """Those of some persons."""
        return Out(self.asked[who], self.closed[who])


@dataclass(frozen=True, slots=True)
class Selection:
    """How the next item is chosen."""

    criterion: Criterion = maximum_information
    exposure: Exposure = field(default_factory=Best)
    content: ContentLimits | None = None

    def values(self, items: Items, belief: Belief, out: Out) -> Array:
        """(N, I): worth of each item now, −inf where it is out or its area is full."""
        may = ~(out.asked | out.closed)
        if self.content is not None:
            may &= self.content.eligible(items, out.asked)
        return np.where(may, self.criterion(items, belief), -np.inf)

    def pick(self, items: Items, belief: Belief, out: Out, rng: np.random.Generator) -> Pick:
        """Choose for every person."""
        return self.exposure.pick(items, self.values(items, belief, out), rng)
