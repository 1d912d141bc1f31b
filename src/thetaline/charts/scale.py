"""From values to places on a drawing."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Number = Callable[[float], str]  # writes a value of an axis
_STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on places from `start` to `end`; values beyond are drawn at the edge."""

    low: float
    high: float
    start: float
    end: float
    step: float = 1.0  # between ticks

    def __call__(self, value: float) -> float:
        """The place of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """The multiples of the step within the scale."""
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return [self.step * k for k in range(first, last + 1)]


def round_step(rough: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))


def covering(values: Iterable[float], *, start: float, end: float, least: float = 1.0, wanted: int = 5) -> Scale:
    """A scale with about `wanted` steps that begins and ends at ticks around all of `values`, at least `least` wide."""
    found = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(found), max(found)
    spare = max(least - (high - low), 0.0) / 2
    low, high = low - spare, high + spare
    step = round_step((high - low) / wanted)
    return Scale(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, start, end, step)
