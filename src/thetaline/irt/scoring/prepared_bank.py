"""The items that somebody answered, with the formulas, bounds and tables that blocks of persons share."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array, Index
from thetaline.irt.item_batches import ItemBatch
from thetaline.irt.items import Items

MAX_TABLES = 32  # distinct node ranges are few: whole logits at a handful of steps


@dataclass(frozen=True, eq=False)
class PreparedBank:
    """Items with what is computed from them once."""

    items: Items
    _tables: dict[tuple[float, float, int], Array] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def offsets(self) -> Index:
        """First row of each item in a category table, (I + 1,)."""
        return self.items.offsets

    @cached_property
    def first_row(self) -> NDArray[np.int32]:
        """`offsets` of the items as narrow as a sparse matrix's columns, (I,)."""
        return self.offsets[:-1].astype(np.int32)

    @cached_property
    def parts(self) -> list[ItemBatch]:
        """The items by family and number of categories."""
        return list(self.items.batches())

    @cached_property
    def home(self) -> tuple[Index, Index]:
        """Of each item, (I,): its part, and its position within it."""
        part, within = np.empty((2, len(self.items)), dtype=np.intp)
        for number, batch in enumerate(self.parts):
            part[batch.index] = number
            within[batch.index] = np.arange(len(batch.index))
        return part, within

    @cached_property
    def curvature_bound(self) -> Array:
        """Most that −∂² log P / ∂θ² of any answer to an item can be, (I,)."""
        bound = np.empty(len(self.items))
        for part in self.parts:
            bound[part.index] = part.curvature_bound
        return bound

    def log_prob(self, nodes: Array) -> Array:
        """log P (ΣK, Q) at equally spaced nodes, kept for the next block."""
        key = (float(nodes[0]), float(nodes[-1]), len(nodes))
        if key not in self._tables:
            if len(self._tables) >= MAX_TABLES:
                self._tables.clear()
            self._tables[key] = self.items.log_prob(nodes)
        return self._tables[key]

    def information_and_bias(self, nodes: Array) -> tuple[Array, Array]:
        """Fisher information and Warm's J of each item at the nodes, (I, Q) each."""
        information, bias = np.empty((2, len(self.items), len(nodes)))
        for part in self.parts:
            curve = part.at_nodes(nodes)
            information[part.index], bias[part.index] = curve.information, curve.warm_bias
        return information, bias
