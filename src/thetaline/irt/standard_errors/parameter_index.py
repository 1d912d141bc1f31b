"""Which estimate is which: from scores laid out per item (all padded to P columns) to the distinct free parameters."""

from dataclasses import dataclass, replace

import numpy as np

from thetaline.irt._types import Array, Ids, Index, Mask
from thetaline.irt.calibration.model import ASYMPTOTE_BOUND, SLOPE_BOUND, ItemBlock
from thetaline.irt.calibration.solution import Solution


@dataclass(frozen=True, slots=True, eq=False)
class ParameterIndex:
    """Free parameters in the order of the item blocks, a shared slope once, then means and log sds of the groups.

    `of_item` (I, P) and `of_group` (G, 2) hold each one's number, -1 where there is none: anchors, padding, and
    estimates at a bound, which have no standard error.
    """

    of_item: Index
    of_group: Index
    n: int

    @property
    def width(self) -> int:
        """P, the most that one item has."""
        return int(self.of_item.shape[1])

    @property
    def own(self) -> Index:
        """`of_item` with -1 for shared slopes too."""
        numbers, counts = np.unique(self.of_item, return_counts=True)
        return np.where(np.isin(self.of_item, numbers[counts > 1]), -1, self.of_item)

    def one_group(self, g: int) -> "ParameterIndex":
        """Return the numbering as one group's scores see it: the items and this group."""
        return replace(self, of_group=self.of_group[g : g + 1])

    def contract(self, padded: Array) -> Array:
        """Add the rows and columns of a padded matrix that belong to one parameter: (L, L) -> (n, n)."""
        number = self._padded()
        kept = np.flatnonzero(number >= 0)
        out = np.zeros((self.n, self.n))
        np.add.at(out, (number[kept][:, None], number[kept][None, :]), padded[np.ix_(kept, kept)])
        return out

    def _padded(self) -> Index:
        """Number of every cell of the padded layout, items first, then groups padded alike; (I P + G P,)."""
        groups = np.full((len(self.of_group), self.width), -1)
        groups[:, :2] = self.of_group
        return np.concatenate([self.of_item.ravel(), groups.ravel()])


def parameter_index(solution: Solution) -> ParameterIndex:
    """Number the parameters of a solution; the weights of a histogram are taken as known."""
    model, state = solution.problem.model, solution.state
    width = max([2, *(block.n_free for block in model.item_blocks)])
    of_item = np.full((len(model.offsets) - 1, width), -1)
    shared: dict[str, int] = {}
    n = 0
    for block, free in zip(model.item_blocks, state.free, strict=True):
        estimated = _estimated(block, free)
        if block.tie is not None:
            if block.tie not in shared:
                shared[block.tie], n = n, n + 1
            of_item[block.index, 0] = shared[block.tie]
            estimated[:, 0] = False
        numbers = np.full(estimated.shape, -1)
        numbers[estimated] = n + np.arange(estimated.sum())
        n += int(estimated.sum())
        of_item[block.index, : block.n_free] = np.where(estimated, numbers, of_item[block.index, : block.n_free])
    of_group = np.full((len(model.mean_free), 2), -1)
    moments = () if state.log_histogram is not None else (model.mean_free, model.sd_free)
    for column, mask in enumerate(moments):
        of_group[mask, column] = n + np.arange(mask.sum())
        n += int(mask.sum())
    return ParameterIndex(of_item, of_group, n)


def _estimated(block: ItemBlock, free: Array) -> Mask:
    out = np.ones(free.shape, dtype=bool)
    out[:, 0] = block.slope_free & (np.abs(free[:, 0]) < SLOPE_BOUND)
    out[:, block.first_asymptote :] = np.abs(free[:, block.first_asymptote :]) < ASYMPTOTE_BOUND
    return out


def free_labels(solution: Solution, index: ParameterIndex) -> tuple[Ids, Ids]:
    """Ids and names ("slope", "intercept1", .., "logit c", "mean", "log sd") of the free parameters in order."""
    ids, names = np.empty(index.n, dtype=object), np.empty(index.n, dtype=object)
    for block in solution.problem.model.item_blocks:
        tail = ["logit c"] * block.family.has_c + ["logit d"] * block.family.has_d
        own = ["slope", *(f"intercept{k}" for k in range(1, block.n_categories)), *tail]
        for j, numbers in zip(block.index, index.of_item[block.index, : block.n_free], strict=True):
            for name, number in zip(own, numbers.tolist(), strict=True):
                if number >= 0:
                    shared = name == "slope" and block.tie is not None
                    ids[number] = block.tie if shared else solution.item_ids[solution.problem.data.order[j]]
                    names[number] = name
    for label, numbers in zip(solution.spec.labels, index.of_group.tolist(), strict=True):
        for name, number in zip(("mean", "log sd"), numbers, strict=True):
            if number >= 0:
                ids[number], names[number] = label, name
    return ids, names
