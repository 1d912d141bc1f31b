"""Where a learner stands in a group all of whose members are known with an error."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from thetaline.reports.value import Interval

Array = NDArray[np.float64]
LEAST_MEMBERS = 10
MOST_WIDTH = 40.0  # points, beyond which a percentile is not told
N_NODES = 301
N_QUANTILES = 200
BLOCK = 20_000  # members at all nodes: 48 MB
LEAST_SD = 1e-9  # of a share that is certain
LEARNERS = 500  # at a time: 17 MB


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Of n members whose θ are N(θ_j, se_j²): the expected share below each node, and the variance of that share."""

    n: int
    nodes: Array
    below: Array
    variance: Array

    @classmethod
    def of(cls, theta: Array, se: Array) -> Self:
        """Shares over ±4 standard errors around all members; n members need n values each."""
        nodes = np.linspace((theta - 4 * se).min(), (theta + 4 * se).max(), N_NODES)
        below, variance = np.zeros((2, N_NODES))
        for start in range(0, theta.size, BLOCK):
            block = slice(start, start + BLOCK)
            chance = ndtr((nodes - theta[block, None]) / se[block, None])
            below += chance.sum(axis=0)
            variance += (chance * (1 - chance)).sum(axis=0)
        return cls(theta.size, nodes, below / theta.size, variance / theta.size**2)

    def percentiles(self, theta: Array, se: Array) -> Array:
        """(3, N) the expected share of the group below θ ~ N(theta, se²) in per cent, its 2.5 and its 97.5 % quantile.

        Given θ, the share is a mean of n independent events, taken as normal; it is mixed over 21 values of θ.
        """
        found = np.empty((3, theta.size))
        for start in range(0, theta.size, LEARNERS):
            block = slice(start, start + LEARNERS)
            found[:, block] = self._percentiles(theta[block], se[block])
        return 100 * found

    def _percentiles(self, theta: Array, se: Array) -> Array:
        at, weights = np.polynomial.hermite_e.hermegauss(21)
        weights = weights / weights.sum()
        here = theta[:, None] + se[:, None] * at
        below = np.interp(here, self.nodes, self.below)
        sd = np.sqrt(np.interp(here, self.nodes, self.variance)) + LEAST_SD
        shares = np.linspace(0.0, 1.0, N_QUANTILES + 1)
        mixture = np.einsum("q,nqs->ns", weights, ndtr((shares - below[..., None]) / sd[..., None]))
        return np.stack([below @ weights, *(_quantile(mixture, shares, level) for level in (0.025, 0.975))])


def _quantile(mixture: Array, shares: Array, level: float) -> Array:
    """(N,) where each rising row crosses the level, linearly between two shares."""
    place = np.clip((mixture < level).sum(axis=1), 1, shares.size - 1)
    rows = np.arange(len(mixture))
    before, after = mixture[rows, place - 1], mixture[rows, place]
    part = np.clip((level - before) / np.maximum(after - before, 1e-12), 0.0, 1.0)
    return np.asarray(shares[place - 1] + part * (shares[place] - shares[place - 1]))


def told(value: float, low: float, high: float) -> Interval | None:
    """The percentile with its interval; None where that is wider than 40 points."""
    return Interval(value, low, high) if high - low <= MOST_WIDTH else None
