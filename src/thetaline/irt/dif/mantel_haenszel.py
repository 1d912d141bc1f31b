"""Mantel–Haenszel: one common odds ratio over strata of people with equal scores (Holland & Thayer 1988)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array
from thetaline.irt.dif.result import DifClass
from thetaline.irt.p_values import p_value

DELTA = -2.35  # log odds ratio to the delta scale of ETS, where a positive value favours the focal group
ONE_SIDED = 1.645  # 95 % point of the normal: class C is significantly beyond 1


class Strata(NamedTuple):
    """People of one item by stratum, each (S,) or (I, S)."""

    reference_right: Array
    reference_wrong: Array
    focal_right: Array
    focal_wrong: Array


class MantelHaenszel(NamedTuple):
    """Per item: χ² with continuity correction, its p, the log of the common odds ratio and its standard error."""

    statistic: Array
    p: Array
    log_odds: Array
    se_log_odds: Array

    @property
    def delta(self) -> Array:
        """MH D-DIF = −2.35 log odds ratio."""
        return DELTA * self.log_odds


def mantel_haenszel(strata: Strata, *, correct: bool = True) -> MantelHaenszel:
    """Test and common odds ratio over the last axis; NaN where no stratum has both groups and both answers.

    The variance of the log odds ratio is that of Robins, Breslow & Greenland (1986), right for few large and for many
    small strata.
    """
    a, b, c, d = strata
    total = a + b + c + d
    # Strata with nobody of one group, or with one answer only, say nothing; total ≤ 1 would divide by zero.
    useful = ((a + b) * (c + d) * (a + c) * (b + d)) > 0
    a, b, c, d = (np.where(useful, x, 0.0) for x in (a, b, c, d))
    n = np.where(useful, total, 2.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = _statistic(a, b, c, d, n, 0.5 if correct else 0.0)
        log_odds, variance = _common_odds(a, b, c, d, n)
    return MantelHaenszel(statistic, p_value(statistic, 1), log_odds, np.sqrt(variance))


def _statistic(a: Array, b: Array, c: Array, d: Array, n: Array, correction: float) -> Array:
    expected = (a + b) * (a + c) / n
    variance = (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1.0))
    distance = np.abs((a - expected).sum(axis=-1))
    # A distance below the correction is no evidence at all, not evidence of the other sign.
    return np.asarray(np.maximum(distance - correction, 0.0) ** 2 / variance.sum(axis=-1))


def _common_odds(a: Array, b: Array, c: Array, d: Array, n: Array) -> tuple[Array, Array]:
    r, s = a * d / n, b * c / n
    p, q = (a + d) / n, (b + c) / n
    r_sum, s_sum = r.sum(axis=-1), s.sum(axis=-1)
    variance = (
        (p * r).sum(axis=-1) / (2.0 * r_sum**2)
        + (p * s + q * r).sum(axis=-1) / (2.0 * r_sum * s_sum)
        + (q * s).sum(axis=-1) / (2.0 * s_sum**2)
    )
    return np.log(r_sum / s_sum), variance


def ets_classes(result: MantelHaenszel, *, alpha: float) -> NDArray[np.object_]:
    """A: |delta| < 1 or not significant; C: |delta| ≥ 1.5 and significantly above 1; B between (Zieky 1993)."""
    size = np.abs(result.delta)
    se = np.abs(DELTA) * result.se_log_odds
    classes = np.full(size.shape, DifClass.B, dtype=object)
    classes[(size >= 1.5) & (size - 1.0 > ONE_SIDED * se)] = DifClass.C
    classes[(size < 1.0) | (result.p >= alpha)] = DifClass.A
    classes[~np.isfinite(result.p)] = ""
    return classes
