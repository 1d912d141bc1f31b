"""Anderson mixing of a fixed-point map: the next point from the last few, by least squares on their residuals.

Anderson (1965); for EM maps Henderson & Varadhan (2019, DAAREM).  Near the maximum the EM map is linear and its matrix
symmetric in the metric of the complete-data information, where this is as good as GMRES: few slow directions cost few
cycles, however slow they are.
"""

import numpy as np

from thetaline.irt._types import Array

MEMORY = 6  # differences kept; more gained nothing from 5 to 2,000 items (docs/decisions/0101)


class Anderson:
    """The memory of one em."""

    def __init__(self, memory: int = MEMORY) -> None:
        """Start without memory: the first proposal is the plain EM step."""
        self._memory = memory
        self._points: list[Array] = []
        self._residuals: list[Array] = []

    def forget(self) -> None:
        """Drop the past, after a point that lowered the likelihood."""
        self._points.clear()
        self._residuals.clear()

    def propose(self, point: Array, mapped: Array) -> Array:
        """Return the next point after `mapped` = map(point)."""
        residual = mapped - point
        self._points.append(point)
        self._residuals.append(residual)
        del self._points[: -self._memory - 1], self._residuals[: -self._memory - 1]
        if len(self._points) == 1:
            return mapped
        d_point = np.diff(np.stack(self._points), axis=0)
        d_residual = np.diff(np.stack(self._residuals), axis=0)
        mix = np.linalg.lstsq(d_residual.T, residual, rcond=1e-10)[0]
        return np.asarray(mapped - mix @ (d_point + d_residual))
