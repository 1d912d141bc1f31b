"""What is estimated: items in free form and the population of each group, and their order in one flat vector."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.families import Family
from thetaline.irt.families.logit import expit

SLOPE_BOUND = 30.0  # on the scale where theta has sd 1: a step function for every grid
UNFROZEN_SLOPE = 5.0
ASYMPTOTE_BOUND = 12.0  # logit: 6e-6 from 0 or 1


@dataclass(frozen=True, slots=True, eq=False)
class ItemBlock:
    """Items of one family and number of categories, by canonical position; anchors form blocks of their own."""

    family: Family
    n_categories: int
    index: Index
    slope_free: bool = True  # False: Rasch and PCM on a given theta scale, where the slope is 1

    @property
    def n_free(self) -> int:
        """P."""
        return self.family.n_free(self.n_categories)

    @property
    def first_asymptote(self) -> int:
        """Column of the first asymptote's logit; P where there is none."""
        return self.n_free - self.family.has_c - self.family.has_d

    @property
    def tie(self) -> str | None:
        """Name of the slope that the items share, if they share one that is estimated."""
        return self.family.shared_slope if self.slope_free else None

    @property
    def scales_theta(self) -> bool:
        """Whether the items' slope is estimated and published as 1, so that theta is published in units of it."""
        return self.family.unit and self.slope_free


@dataclass(frozen=True, slots=True, eq=False)
class EmState:
    """Values: free parameters of every estimated block, the population, and its histogram where that is estimated."""

    free: tuple[Array, ...]
    mean: Array  # (G,)
    sd: Array  # (G,)
    log_histogram: Array | None = None  # (G, Q)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The structure of a calibration; values live in an EmState or, for the acceleration, in its flat vector."""

    item_blocks: tuple[ItemBlock, ...]
    anchors: tuple[tuple[ItemBlock, Array], ...]
    offsets: Index  # (I + 1,)
    mean_free: Mask  # (G,)
    sd_free: Mask  # (G,)

    def n_parameters(self, state: EmState) -> int:
        """Count free parameters: a shared slope once, a histogram's weights less what holds its mean and sd."""
        ties = {block.tie for block in self.item_blocks if block.tie}
        items = len(ties) + int(
            sum(len(block.index) * (block.n_free - block.family.tied) for block in self.item_blocks)
        )
        if state.log_histogram is None:
            return items + int(self.mean_free.sum()) + int(self.sd_free.sum())
        n_weights = int(state.log_histogram.size) - len(state.log_histogram)
        return items + n_weights - (0 if self.anchors else 2)

    def log_prob(self, state: EmState, theta: Array) -> Array:
        """Category tables at nodes (G, Q): (G, sum of K, Q)."""
        out = np.empty((len(theta), int(self.offsets[-1]), theta.shape[1]))
        flat = theta.ravel()
        for block, free in self.with_values(state):
            table = block.family.log_prob(free, flat).reshape(len(free), block.n_categories, *theta.shape)
            out[:, self.codes(block)] = np.moveaxis(table, 2, 0)
        return out

    def with_values(self, state: EmState) -> Iterator[tuple[ItemBlock, Array]]:
        """Walk over all blocks, anchors last."""
        yield from zip(self.item_blocks, state.free, strict=True)
        yield from self.anchors

    def slopes(self, state: EmState) -> Array:
        """Slopes of all items, anchors included, (I,) by block."""
        return np.concatenate([free[:, 0] for _, free in self.with_values(state)])

    def codes(self, block: ItemBlock) -> Index:
        """Table rows of a block, (len(index), K)."""
        return self.offsets[block.index][:, None] + np.arange(block.n_categories)

    def flatten(self, state: EmState) -> Array:
        """One vector: items, then free means, then logs of free sds."""
        population = (state.mean[self.mean_free], np.log(state.sd[self.sd_free]))
        return np.concatenate([*(free.ravel() for free in state.free), *population])

    def restore(self, vector: Array, like: EmState) -> EmState:
        """Undo `flatten`; what is not in the vector comes from `like`."""
        free, start = [], 0
        for old in like.free:
            free.append(vector[start : start + old.size].reshape(old.shape))
            start += old.size
        mean, sd = like.mean.copy(), like.sd.copy()
        n_means = int(self.mean_free.sum())
        mean[self.mean_free] = vector[start : start + n_means]
        sd[self.sd_free] = np.exp(vector[start + n_means :])
        return replace(like, free=tuple(free), mean=mean, sd=sd)

    def convergence_vector(self, state: EmState) -> Array:
        """What is compared with `tol`: `flatten` with asymptotes as probabilities, then a histogram summed up."""
        free = []
        for block, values in zip(self.item_blocks, state.free, strict=True):
            out = values.copy()
            out[:, block.first_asymptote :] = expit(out[:, block.first_asymptote :])
            free.append(out)
        values = self.flatten(replace(state, free=tuple(free)))
        if state.log_histogram is None:
            return values
        return np.concatenate([values, np.cumsum(np.exp(state.log_histogram), axis=1).ravel()])

    def bounded(self, state: EmState) -> EmState:
        """Keep slopes and asymptotes where likelihoods are still told apart; what stands at a bound is named after."""
        free = []
        for block, values in zip(self.item_blocks, state.free, strict=True):
            out = values.copy()
            np.clip(out[:, 0], -SLOPE_BOUND, SLOPE_BOUND, out=out[:, 0])
            asymptotes = out[:, block.first_asymptote :]
            np.clip(asymptotes, -ASYMPTOTE_BOUND, ASYMPTOTE_BOUND, out=asymptotes)
            free.append(out)
        return replace(state, free=tuple(free))

    def freeze_at_bound(self, state: EmState, *, at: EmState) -> EmState:
        """Leave items whose slope stood at its bound in `at` as they were there, so that the others come to rest."""
        pairs = zip(state.free, at.free, strict=True)
        free = tuple(np.where(np.abs(old[:, :1]) >= SLOPE_BOUND, old, new) for new, old in pairs)
        return replace(state, free=free)

    def unfreeze(self, state: EmState) -> EmState:
        """Let such items go on, on other answers or nodes: flatter, with the same thresholds."""
        free = []
        for block, values in zip(self.item_blocks, state.free, strict=True):
            out = values.copy()
            flatter = np.where(np.abs(values[:, :1]) >= SLOPE_BOUND, UNFROZEN_SLOPE / SLOPE_BOUND, 1.0)
            out[:, : block.first_asymptote] *= flatter
            free.append(out)
        return replace(state, free=tuple(free))

    def valid(self, state: EmState) -> bool:
        """Whether every item is a model and every sd a positive number."""
        items = all(block.family.valid(free).all() for block, free in zip(self.item_blocks, state.free, strict=True))
        return bool(items and np.isfinite(state.mean).all() and np.isfinite(state.sd).all() and (state.sd > 0).all())
