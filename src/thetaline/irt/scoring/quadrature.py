"""Nodes that suit a person: multiples of a step that the person's posterior cannot be too narrow for.

On equally spaced nodes the trapezoidal rule integrates a normal of standard deviation σ with relative error
2 exp(−2 π² σ² / h²) and its variance with 40 times that: 2e-7 at h = σ.  The step is a power of √2 and the nodes are
its multiples, so that a person's score depends on the person's answers and prior alone, whoever else is scored in the
same call.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._types import Array, Index

COARSEST = 1.0  # curves bend within a logit or so: a wider step could pass over a mode
MOST_STEPS = 128.0  # steps by which a range may grow at either end
MOST_NODES = 50_000  # of a table in memory for each item: a prior of a thousand logits still has fewer
REACH = 6.0  # prior standard deviations on either side: beyond them lies 2e-9 of the prior


class NodeRange(NamedTuple):
    """Persons who share a step `h`, and the range that their nodes must cover."""

    who: Index
    h: float
    low: float
    high: float

    @property
    def nodes(self) -> Array:
        """Multiples of h that cover low … high, taken to whole logits so that blocks of persons share tables.

        Where a logit holds many steps, because a prior says all, the range is taken to that many steps instead.
        Raises InputError for a range of more than MOST_NODES.
        """
        if self.high - self.low > MOST_NODES * self.h:
            raise InputError(
                f"the prior reaches from {self.low:g} to {self.high:g}, so far that it says nothing; give a smaller "
                "sd, or take method='MLE' or 'WLE', which need none"
            )
        unit = min(1.0, MOST_STEPS * self.h)
        low, high = unit * np.floor(self.low / unit), unit * np.ceil(self.high / unit)
        return self.h * np.arange(np.floor(low / self.h), np.ceil(high / self.h) + 1.0)


def node_ranges(information: Array, low: Array, high: Array) -> Iterator[NodeRange]:
    """Group persons by the step for their largest possible information (N,); ranges (N,) are taken together."""
    step = np.minimum(1.0 / np.sqrt(information), COARSEST)
    level = np.ceil(-2.0 * np.log2(step) - 1e-9).astype(np.intp)
    for each in np.unique(level):
        who = np.flatnonzero(level == each)
        yield NodeRange(who, float(2.0 ** (-each / 2.0)), float(low[who].min()), float(high[who].max()))
