"""Indices of approximate fit from M2 and from residual correlations."""

from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.p_values import noncentrality


class Rmsea(NamedTuple):
    """Root mean square error of approximation with its 90 % interval (Steiger 1990)."""

    value: float
    low: float
    high: float


def rmsea(statistic: float, df: int, n: float) -> Rmsea:
    """sqrt(max(statistic − df, 0) / (df (n − 1))); the limits from the non-centralities that put it at 95 % and 5 %."""
    if df < 1:
        return Rmsea(np.nan, np.nan, np.nan)
    sizes = max(statistic - df, 0.0), noncentrality(statistic, df, 0.95), noncentrality(statistic, df, 0.05)
    return Rmsea(*(float(np.sqrt(size / (df * (n - 1.0)))) for size in sizes))


def cfi(statistic: float, df: int, null: tuple[float, int]) -> float:
    """Comparative fit index of Bentler (1990), within 0 and 1; `null` is the model of independent items."""
    excess = null[0] - null[1]
    return float(np.clip(1.0 - (statistic - df) / excess, 0.0, 1.0)) if excess > 0 else np.nan


def tli(statistic: float, df: int, null: tuple[float, int]) -> float:
    """Tucker–Lewis index; not bounded."""
    if df < 1 or null[1] < 1 or null[0] == null[1]:
        return np.nan
    ratio = null[0] / null[1]
    return float((ratio - statistic / df) / (ratio - 1.0))


def srmsr(observed: Array, expected: Array) -> float:
    """Root mean square of the residual correlations of the item pairs, NaN ones left out; matrices (I, I)."""
    residual = (observed - expected)[np.triu_indices(observed.shape[0], 1)]
    known = residual[np.isfinite(residual)]
    return float(np.sqrt(np.mean(known**2))) if known.size else np.nan
