"""Which estimate is which: from scores laid out per item (all padded to P columns) to the distinct free parameters."""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.calibration.model import ASYMPTOTE_BOUND, SLOPE_BOUND, EmState, ItemBlock, Model
from thetaline.irt.calibration.solution import Solution


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """Free parameters in the order of the item_blocks, a shared slope once, then means and log sds of the groups.

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
    def local(self) -> Index:
        """Number of every cell of the padded layout, items first, then groups padded alike; (I P + G P,)."""
        groups = np.full((len(self.of_group), self.width), -1)
        groups[:, :2] = self.of_group
        return np.concatenate([self.of_item.ravel(), groups.ravel()])

    def contract(self, local: Array) -> Array:
        """Add the rows and columns of a padded matrix that belong to one parameter: (L, L) -> (n, n)."""
        number = self.local
        kept = np.flatnonzero(number >= 0)
        out = np.zeros((self.n, self.n))
        np.add.at(out, (number[kept][:, None], number[kept][None, :]), local[np.ix_(kept, kept)])
        return out


def number_parameters(solution: Solution) -> Parameters:
    """Number the parameters of a solution."""
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
    moments = (
        () if state.log_histogram is not None else (model.mean_free, model.sd_free)
    )  # a histogram is taken as known
    for column, mask in enumerate(moments):
        of_group[mask, column] = n + np.arange(mask.sum())
        n += int(mask.sum())
    return Parameters(of_item, of_group, n)


def _estimated(block: ItemBlock, free: Array) -> Mask:
    out = np.ones(free.shape, dtype=bool)
    out[:, 0] = block.slope_free & (np.abs(free[:, 0]) < SLOPE_BOUND)
    out[:, block.first_asymptote :] = np.abs(free[:, block.first_asymptote :]) < ASYMPTOTE_BOUND
    return out


def score_table(model: Model, state: EmState, theta: Array, width: int) -> Array:
    """Return d log P / d free by code, padded: (sum of K, P, Q) at nodes (Q,) of one group; zero for anchors."""
    out = np.zeros((int(model.offsets[-1]), width, theta.size))
    for block, free in zip(model.item_blocks, state.free, strict=True):
        derivative = block.family.d_log_prob(free, theta)
        out[model.codes(block), : block.n_free] = derivative.transpose(0, 2, 1, 3)
    return out
