"""The chance of a right answer by what is known of a learner."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from thetaline import irt

Array = NDArray[np.float64]
REACH, STEP = 8.0, 0.1
LEAST_SE = 0.05  # half a step, below which the weights would fall between two nodes
BLOCK = 50_000  # answers whose weights are in memory at a time: 64 MB


@dataclass(frozen=True, slots=True, eq=False)
class SuccessTable:
    """P(X = 1 | θ) of I items at Q nodes, so that the mean under any normal θ is a product of matrices."""

    nodes: Array  # (Q,)
    chance: Array  # (I, Q)

    @classmethod
    def of(cls, items: irt.Items) -> Self:
        """Over θ from −8 to 8."""
        nodes = np.arange(-REACH, REACH + STEP / 2, STEP)
        return cls(nodes, items.expected_score(nodes))

    def of_items(self, theta: Array, se: Array, items: NDArray[np.intp]) -> Array:
        """(N, J) mean of P of some items under θ ~ N(theta, se²), (N,) each.

        At θ alone the chance would be overstated on both sides of one half, and the more so the less is known.
        """
        return self._weights(theta, se) @ self.chance[items].T

    def of_each(self, theta: Array, se: Array, item: NDArray[np.intp]) -> Array:
        """(M,) the same of one item for each θ."""
        found = np.empty(theta.size)
        for start in range(0, theta.size, BLOCK):
            rows = slice(start, start + BLOCK)
            found[rows] = np.einsum("mq,mq->m", self._weights(theta[rows], se[rows]), self.chance[item[rows]])
        return found

    def _weights(self, theta: Array, se: Array) -> Array:
        inside = np.clip(theta, -REACH, REACH)
        z = (self.nodes - inside[:, None]) / np.maximum(se, LEAST_SE)[:, None]
        weight = np.exp(-np.square(z) / 2)
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))
