"""Tail areas of χ² and the normal from scipy.special alone, and only when asked: scipy.stats is slow to import."""

from __future__ import annotations

import reprlib

import numpy as np
from numpy.typing import ArrayLike

from thetaline.errors import InputError
from thetaline.irt._scipy import special
from thetaline.irt._types import Array


def check_level(alpha: float) -> None:
    """Raise InputError for what is no level of significance."""
    if not 0.0 < alpha < 1.0:
        raise InputError(f"alpha must lie between 0 and 1, not {alpha}")


def p_value(statistic: ArrayLike, degrees: ArrayLike) -> Array:
    """P(χ²_df ≥ statistic); NaN where df < 1."""

    df = np.asarray(degrees, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        p = special.chdtrc(np.where(df >= 1, df, np.nan), np.asarray(statistic, dtype=np.float64))
    return np.asarray(p, dtype=np.float64)


def noncentrality(statistic: float, degrees: float, probability: float) -> float:
    """Return λ with P(χ²_df(λ) ≤ statistic) = probability; 0 when even λ = 0 stays below it."""

    if special.chdtr(degrees, statistic) <= probability:
        return 0.0
    return float(special.chndtrinc(statistic, degrees, probability))


def lower_tail(z: ArrayLike) -> Array:
    """P(Z ≤ z) for a standard normal Z."""

    return np.asarray(special.ndtr(np.asarray(z, dtype=np.float64)), dtype=np.float64)


def two_sided(z: ArrayLike) -> Array:
    """P(|Z| ≥ |z|) for a standard normal Z."""
    return 2.0 * lower_tail(-np.abs(np.asarray(z, dtype=np.float64)))


def false_discovery(p: ArrayLike) -> Array:
    """Return p adjusted for the number of tests, in the same order, (M,); NaN is not a test.

    Benjamini & Hochberg (1995).  Raises InputError for what is no list of probabilities.
    """
    try:
        tails = np.asarray(p, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"p must be a list of probabilities, not {reprlib.repr(p)}") from None
    outside = tails[(tails < 0) | (tails > 1)] if tails.ndim == 1 else tails.ravel()[:1]
    if outside.size or tails.ndim != 1:
        raise InputError(f"p must be a list of probabilities, not {reprlib.repr(p)}")
    adjusted, known = tails.copy(), np.isfinite(tails)
    order = np.argsort(tails[known])[::-1]
    m = order.size
    scaled = tails[known][order] * m / np.arange(m, 0, -1)
    restored = np.empty(m)
    restored[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    adjusted[known] = restored
    return adjusted
