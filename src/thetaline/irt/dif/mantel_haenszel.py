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
    """Per item: χ² with continuity correction, its p, the log of the common odds ratio and its standard error.

    Where one group is never (or always) right among equals the odds ratio is infinite and has no standard error.
    """

    statistic: Array
    p: Array
    log_odds: Array
    se_log_odds: Array
    z_beyond_one: Array  # of |delta| against 1

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
        se = np.where(np.isfinite(log_odds), np.sqrt(variance), np.nan)
        wald = (np.abs(DELTA * log_odds) - 1.0) / (np.abs(DELTA) * se)
    beyond = np.where(np.isinf(log_odds), _score_z(Strata(a, b, c, d), np.sign(log_odds)), wald)
    return MantelHaenszel(statistic, p_value(statistic, 1), log_odds, se, beyond)


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


def _score_z(strata: Strata, sign: Array) -> Array:
    """Score test of a log odds ratio of ±1 / 2.35, |delta| = 1, against one farther out: it needs no estimate.

    The cells expected are those of the margins at that odds ratio (Breslow & Day 1980, eq. 4.30).
    """
    odds = np.expand_dims(np.exp(np.where(np.abs(sign) == 1.0, sign, 1.0) / np.abs(DELTA)), -1)
    a, b, c, d = strata
    right, reference, n = a + c, a + b, a + b + c + d
    middle = odds * (right + reference) + n - right - reference
    at = (middle - np.sqrt(middle**2 - 4.0 * (odds - 1.0) * odds * right * reference)) / (2.0 * (odds - 1.0))
    cells = np.stack([at, reference - at, right - at, n - reference - right + at])
    used = n > 1
    inverse = np.sum(1.0 / np.where(used, cells, 1.0), axis=0)
    variance = np.where(used, n / np.where(used, n - 1.0, 1.0) / inverse, 0.0).sum(axis=-1)
    distance = np.maximum(sign * (a - at).sum(axis=-1) - 0.5, 0.0)
    return np.asarray(np.divide(distance, np.sqrt(variance), out=np.zeros_like(distance), where=variance > 0.0))


def ets_classes(result: MantelHaenszel, *, alpha: float) -> NDArray[np.object_]:
    """A: |delta| < 1 or not significant; C: |delta| ≥ 1.5 and significantly above 1; B between (Zieky 1993)."""
    size = np.abs(result.delta)
    classes = np.full(size.shape, DifClass.B, dtype=object)
    classes[(size >= 1.5) & (result.z_beyond_one > ONE_SIDED)] = DifClass.C
    classes[(size < 1.0) | (result.p >= alpha)] = DifClass.A
    classes[~np.isfinite(result.p)] = ""
    return classes
