"""Anderson mixing of a fixed-point map: the next point from the last few, by least squares on their steps.

Anderson (1965); for EM maps Henderson & Varadhan (2019, DAAREM).  Near the maximum the EM map is linear and its matrix
symmetric in the metric of the complete-data information, where this is as good as GMRES: few slow directions cost few
cycles, however slow they are.  The same differences tell how slow they are, and so how far the limit is.
"""

from collections import deque

import numpy as np

from thetaline.irt._types import Array

MEMORY = 10  # differences kept (docs/decisions/0101)
DEPENDENT = 1e-10  # singular value of differences of unit length, from which they differ by rounding


class Anderson:
    """How points, and the steps of the map from them, differed from one to the next."""

    def __init__(self) -> None:
        """Start without memory: the first proposal is the map's own step."""
        self._differences: deque[Array] = deque(maxlen=MEMORY)  # each (4, P)
        self._last: Array | None = None
        self.slowness = 1.0  # steps of the map that the slowest mixture of the differences is worth
        self._slowness_before = 1.0

    def carried_over(self) -> "Anderson":
        """Return a memory for a map of about the same matrix, as on other nodes: the differences hold there too."""
        other = Anderson()
        other._differences.extend(self._differences)
        other.slowness, other._slowness_before = self.slowness, self._slowness_before
        return other

    def forget(self) -> None:
        """Drop the differences; how slow they were holds until there are as many again."""
        self._differences.clear()
        self._slowness_before = self.slowness

    def propose(self, points: Array, values: Array) -> Array:
        """Return the next point (P,) after `points` (2, P), a point and its image under the map.

        `values` (2, P) are the two on the scale of the tolerance, on which steps are compared.
        """
        point, image = points
        now = np.stack([point, image - point, values[0], values[1] - values[0]])
        if self._last is not None and (now - self._last)[3].any():
            self._differences.append(now - self._last)
        self._last = now
        if not self._differences:
            return np.asarray(image)
        d_point, d_step, d_value, d_value_step = np.stack(self._differences, axis=1)  # (D, P) each
        mixtures = _orthonormalising(d_value_step)
        before = self._slowness_before if len(self._differences) < MEMORY else 1.0
        self.slowness = max(before, float(np.linalg.norm(mixtures @ d_value, 2)))
        nearest = (mixtures @ d_value_step) @ now[3] @ mixtures
        return np.asarray(image - nearest @ (d_point + d_step))


def _orthonormalising(rows: Array) -> Array:
    """Return mixtures (R, D) of the rows (D, P) that are orthonormal; R < D where rows depend on one another."""
    length = np.linalg.norm(rows, axis=1)
    left, size, _ = np.linalg.svd(rows / length[:, None], full_matrices=False)
    kept = size > DEPENDENT * size[0]
    return np.asarray(left[:, kept].T / size[kept, None] / length)
