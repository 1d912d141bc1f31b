"""Each metric on a scale on which its sampling variance is known and does not depend on its value, and back.

Shares and counts by Anscombe's (1948) transformations. The logit of a few answers would not do: its variance is
largest where all of them are right, and has to be guessed from the value itself.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, pdtr, pdtrc

from thetaline.learning._types import Array

THREE_EIGHTHS = 0.375


class Metric(StrEnum):
    """What a weekly series is of."""

    THETA = "theta"
    I_T = "I_t"
    ACCURACY = "accuracy"
    ACTIVITY = "activity"

    @property
    def scale(self) -> "Scale":
        """The scale on which it is forecast."""
        return _SCALES[self]


class Scale(Protocol):
    """Elementwise; `size` is what the sampling variance comes from, NaN where it is unknown."""

    def to_model(self, value: Array, size: Array) -> tuple[Array, Array]:
        """The value on the model's scale, and its sampling variance; unknown is 0."""

    def from_model(self, y: Array, size: Array) -> Array:
        """Back, inside the metric's bounds: ascending in y."""

    def least_p(self, value: Array, expected: Array, size: Array) -> Array:
        """Two-sided p if sampling alone moved the value: no test may be surer; the scale is but nearly normal."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """The metric itself, clamped when it comes back; `size` is its standard error."""

    low: float = -np.inf
    high: float = np.inf

    def to_model(self, value: Array, size: Array) -> tuple[Array, Array]:
        """As it is."""
        return value, np.nan_to_num(np.square(size))

    def from_model(self, y: Array, size: Array) -> Array:
        """Clamped: exact for quantiles of what is itself a clamped number."""
        return np.clip(y, self.low, self.high) + np.zeros_like(size)

    def least_p(self, value: Array, expected: Array, size: Array) -> Array:
        """None: its error is normal."""
        return np.zeros_like(value + expected + size)


@dataclass(frozen=True, slots=True)
class Arcsine:
    """A share of `size` answers: asin √((k + 3/8) / (n + 3/4)) has variance 1 / (4 n + 2)."""

    def to_model(self, value: Array, size: Array) -> tuple[Array, Array]:
        """The angle, 0 to π/2."""
        share = (value * size + THREE_EIGHTHS) / (size + 2 * THREE_EIGHTHS)
        return np.arcsin(np.sqrt(share)), 1 / (4 * size + 2)

    def from_model(self, y: Array, size: Array) -> Array:
        """The share, 0 to 1."""
        share = np.square(np.sin(np.clip(y, 0.0, np.pi / 2)))
        return np.clip((share * (size + 2 * THREE_EIGHTHS) - THREE_EIGHTHS) / size, 0.0, 1.0)

    def least_p(self, value: Array, expected: Array, size: Array) -> Array:
        """Of a binomial count."""
        n, k = np.round(size).astype(np.int64), np.round(value * size)
        return _two_sided(bdtr(k, n, expected), bdtrc(k - 1, n, expected))


@dataclass(frozen=True, slots=True)
class SquareRoot:
    """A count by unit of exposure, `size` units: √(rate + 3/8 / size) has variance 1 / (4 size)."""

    def to_model(self, value: Array, size: Array) -> tuple[Array, Array]:
        """The root."""
        return np.sqrt(value + THREE_EIGHTHS / size), 1 / (4 * size)

    def from_model(self, y: Array, size: Array) -> Array:
        """The rate, from 0 on."""
        return np.maximum(np.square(np.maximum(y, 0.0)) - THREE_EIGHTHS / size, 0.0)

    def least_p(self, value: Array, expected: Array, size: Array) -> Array:
        """Of a Poisson count."""
        k, mean = np.round(value * size), expected * size
        return _two_sided(pdtr(k, mean), np.where(k > 0, pdtrc(np.maximum(k - 1, 0), mean), 1.0))


def _two_sided(at_most: NDArray[np.floating[Any]], at_least: NDArray[np.floating[Any]]) -> Array:
    return np.asarray(np.minimum(2 * np.minimum(at_most, at_least), 1.0), np.float64)


_SCALES: dict[Metric, Scale] = {
    Metric.THETA: Bounded(),
    Metric.I_T: Bounded(-1.0, 1.0),
    Metric.ACCURACY: Arcsine(),
    Metric.ACTIVITY: SquareRoot(),
}
