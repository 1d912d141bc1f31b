"""Quadrature nodes: equally spaced; on a smooth integrand that converges faster than any power of the spacing."""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._log_space import log_softmax
from thetaline.irt._types import Array


@dataclass(frozen=True, slots=True)
class Grid:
    """`n` equally spaced nodes from `low` to `high` on the theta scale, weighted by the normalised normal density."""

    n: int = 61
    low: float = -6.0
    high: float = 6.0

    def __post_init__(self) -> None:
        """Refuse what is no grid."""
        if not (hasattr(self.n, "__index__") and all(isinstance(end, Real) for end in (self.low, self.high))):
            raise InputError(f"a grid needs a whole number of nodes and two ends, not {self}")
        if self.n < 3 or not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InputError(
                f"a grid needs at least 3 nodes and low < high, not Grid({self.n}, {self.low}, {self.high})"
            )

    @property
    def nodes(self) -> Array:
        """Shape (n,)."""
        return np.linspace(self.low, self.high, self.n)

    @property
    def spacing(self) -> float:
        """Distance of neighbours."""
        return (self.high - self.low) / (self.n - 1)


def normal_log_weights(nodes: Array, mean: float, sd: float) -> Array:
    """Return log of the normal density at the nodes, normalised to sum 1."""
    return log_softmax(-0.5 * ((nodes - mean) / sd) ** 2)
