"""What a forecast of a panel returns."""

from dataclasses import dataclass

import numpy as np

from thetaline.learning._types import Array, Ints, Mask
from thetaline.learning.forecast.change_points import Changes
from thetaline.learning.forecast.kalman import TrendVariances
from thetaline.learning.forecast.series import MIN_WEEKS

LEVELS = (0.025, 0.1, 0.9, 0.975)  # of `bounds`: 95 % and 80 % intervals


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """What the coming weeks will show, measurement included, in the metric's own units; NaN of a series too short."""

    mean: Array  # (N, H)
    sd: Array  # (N, H)
    bounds: Array  # (N, H, 4) at `LEVELS`


@dataclass(frozen=True, slots=True, eq=False)
class WeekTest:
    """(N,) each: the newest week against what the weeks before it foretold; NaN of a series that is not tested."""

    value: Array
    expected: Array
    score: Array  # error / standard deviation of the prediction, on the model's scale
    p: Array


@dataclass(frozen=True, slots=True, eq=False)
class PanelForecast:
    """Of N series; `weeks_known` (N,) says which were too short."""

    weeks_known: Ints
    forecasts: Forecasts | None = None
    newest: WeekTest | None = None
    changes: Changes | None = None  # sizes in the metric's own units
    variances: TrendVariances | None = None  # on the model's scale
    dof: float = np.inf
    reason: str = ""  # why nothing is fitted

    @property
    def is_fitted(self) -> bool:
        """Whether there are forecasts; else `reason` says why not."""
        return not self.reason

    @property
    def long_enough(self) -> Mask:
        """(N,) series with a forecast."""
        return (self.weeks_known >= MIN_WEEKS) & self.is_fitted

    def why_not(self, row: int) -> str:
        """Why a series has no forecast; empty where it has one."""
        if self.weeks_known[row] < MIN_WEEKS:
            return f"too short: {self.weeks_known[row]} of at least {MIN_WEEKS} weeks are known"
        return self.reason
