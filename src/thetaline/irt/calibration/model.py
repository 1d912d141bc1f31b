"""What is estimated: items in free form and the population of each group, and their order in one flat vector."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.families import Family
from thetaline.irt.families.logit import expit
from thetaline.irt.grid import normal_log_weights

SLOPE_BOUND = 30.0  # on the scale where theta has sd 1: a step function for every grid
RELEASED_SLOPE = 5.0
ASYMPTOTE_BOUND = 12.0  # logit: 6e-6 from 0 or 1


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Items of one family and number of categories, by canonical position; anchors form parts of their own."""

    family: Family
    n_categories: int
    index: Index
    slope_free: bool = True  # False: Rasch and PCM on a given theta scale, where the slope is 1

    @property
    def n_free(self) -> int:
        """P."""
        return self.family.n_free(self.n_categories)

    @property
    def tie(self) -> str | None:
        """Name of the slope that the items share, if they share one."""
        if not self.family.tied or not self.slope_free:
            return None
        return "unit" if self.family.unit else self.family.name


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Values: free parameters of every estimated part, the population, and its histogram where that is estimated."""

    free: tuple[Array, ...]
    mean: Array  # (G,)
    sd: Array  # (G,)
    log_histogram: Array | None = None  # (G, Q)


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Quadrature: standardised nodes that follow each group's population, or fixed ones on the theta scale."""

    z: Array  # (Q,)
    fixed: bool = False

    @property
    def step(self) -> float:
        """Distance of neighbours."""
        return float(self.z[1] - self.z[0])

    def theta(self, state: State) -> Array:
        """Nodes per group, (G, Q)."""
        if self.fixed:
            return np.tile(self.z, (state.mean.size, 1))
        return state.mean[:, None] + np.multiply.outer(state.sd, self.z)

    def log_weights(self, state: State) -> Array:
        """Log of the normalised weights per group, (G, Q)."""
        if state.log_histogram is not None:
            return state.log_histogram
        if self.fixed:
            return np.stack([normal_log_weights(self.z, m, s) for m, s in zip(state.mean, state.sd, strict=True)])
        return np.tile(normal_log_weights(self.z, 0.0, 1.0), (state.mean.size, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The structure of a calibration; values live in a State or, for the accelerator, in its flat vector."""

    parts: tuple[Part, ...]
    anchors: tuple[tuple[Part, Array], ...]
    offsets: Index  # (I + 1,)
    mean_free: Mask  # (G,)
    sd_free: Mask  # (G,)

    def n_parameters(self, state: State) -> int:
        """Count free parameters: a shared slope once, a histogram's weights less what holds its mean and sd."""
        ties = {part.tie for part in self.parts if part.tie}
        items = len(ties) + int(sum(len(part.index) * (part.n_free - part.family.tied) for part in self.parts))
        if state.log_histogram is None:
            return items + int(self.mean_free.sum()) + int(self.sd_free.sum())
        n_weights = int(state.log_histogram.size) - len(state.log_histogram)
        return items + n_weights - (0 if self.anchors else 2)

    def log_prob(self, state: State, theta: Array) -> Array:
        """Category tables at nodes (G, Q): (G, sum of K, Q)."""
        out = np.empty((len(theta), int(self.offsets[-1]), theta.shape[1]))
        flat = theta.ravel()
        for part, free in self.with_values(state):
            table = part.family.log_prob(free, flat).reshape(len(free), part.n_categories, *theta.shape)
            out[:, self.codes(part)] = np.moveaxis(table, 2, 0)
        return out

    def with_values(self, state: State) -> Iterator[tuple[Part, Array]]:
        """Walk over all parts, anchors last."""
        yield from zip(self.parts, state.free, strict=True)
        yield from self.anchors

    def codes(self, part: Part) -> Index:
        """Table rows of a part, (len(index), K)."""
        return self.offsets[part.index][:, None] + np.arange(part.n_categories)

    def flatten(self, state: State) -> Array:
        """One vector: items, then free means, then logs of free sds."""
        population = (state.mean[self.mean_free], np.log(state.sd[self.sd_free]))
        return np.concatenate([*(free.ravel() for free in state.free), *population])

    def restore(self, vector: Array, like: State) -> State:
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

    def measured(self, state: State) -> Array:
        """What is compared with `tol`: `flatten` with asymptotes as probabilities, then a histogram summed up."""
        free = []
        for part, values in zip(self.parts, state.free, strict=True):
            out = values.copy()
            asymptotes = part.family.has_c + part.family.has_d
            if asymptotes:
                out[:, -asymptotes:] = expit(out[:, -asymptotes:])
            free.append(out)
        values = self.flatten(replace(state, free=tuple(free)))
        if state.log_histogram is None:
            return values
        return np.concatenate([values, np.cumsum(np.exp(state.log_histogram), axis=1).ravel()])

    def bounded(self, state: State) -> State:
        """Keep slopes and asymptotes where likelihoods are still told apart; what stands at a bound is named after."""
        free = []
        for part, values in zip(self.parts, state.free, strict=True):
            out = values.copy()
            np.clip(out[:, 0], -SLOPE_BOUND, SLOPE_BOUND, out=out[:, 0])
            asymptotes = out[:, part.n_free - part.family.has_c - part.family.has_d :]
            np.clip(asymptotes, -ASYMPTOTE_BOUND, ASYMPTOTE_BOUND, out=asymptotes)
            free.append(out)
        return replace(state, free=tuple(free))

    def stopped(self, state: State, *, at: State) -> State:
        """Leave items whose slope has run to its bound as they are `at` there, so that the others come to rest."""
        pairs = zip(state.free, at.free, strict=True)
        free = tuple(np.where(np.abs(old[:, :1]) >= SLOPE_BOUND, old, new) for new, old in pairs)
        return replace(state, free=free)

    def released(self, state: State) -> State:
        """Give such items another chance, on other answers or nodes: flatter, with the same thresholds."""
        free = []
        for part, values in zip(self.parts, state.free, strict=True):
            line = values[:, : part.n_free - part.family.has_c - part.family.has_d]
            out = values.copy()
            out[:, : line.shape[1]] *= np.where(np.abs(line[:, :1]) >= SLOPE_BOUND, RELEASED_SLOPE / SLOPE_BOUND, 1.0)
            free.append(out)
        return replace(state, free=tuple(free))

    def valid(self, state: State) -> bool:
        """Whether every item is a model and every sd a positive number."""
        items = all(part.family.valid(free).all() for part, free in zip(self.parts, state.free, strict=True))
        return bool(items and np.isfinite(state.mean).all() and np.isfinite(state.sd).all() and (state.sd > 0).all())
