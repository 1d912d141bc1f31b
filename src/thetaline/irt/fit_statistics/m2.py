"""M2: the quadratic form in the first and second moments that is χ² under the model (Maydeu-Olivares & Joe 2005, 2006).

M2 = N r' (Ξ⁻¹ − Ξ⁻¹ Δ (Δ' Ξ⁻¹ Δ)⁻¹ Δ' Ξ⁻¹) r with residual moments r, their covariance Ξ and derivatives Δ. With
Ξ = L L' it is N times the squared length of L⁻¹ r after its projection on the columns of L⁻¹ Δ is taken off: one
Cholesky factor and one QR, no inverse. Groups with their own population stack.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thetaline.errors import ResponsesError
from thetaline.irt._scipy import linalg
from thetaline.irt._types import Array
from thetaline.irt.p_values import noncentrality


class MomentFit(NamedTuple):
    """Moments of one group: n persons, residual observed − expected (S,), covariance (S, S), derivatives (S, P)."""

    n: float
    residual: Array
    covariance: Array
    derivatives: Array


def m2(groups: Sequence[MomentFit]) -> tuple[float, int]:
    """M2 and its degrees of freedom: moments less the rank of the derivatives.

    Raises ResponsesError where a moment cannot vary, as with an item that everybody answers alike.
    """
    whitened = [_whitened(group) for group in groups]
    residual = np.concatenate([r for r, _ in whitened])
    derivatives = np.concatenate([d for _, d in whitened])
    basis, rank = _column_space(derivatives)
    remainder = residual - basis @ (basis.T @ residual)
    return float(remainder @ remainder), residual.size - rank


def _whitened(group: MomentFit) -> tuple[Array, Array]:

    try:
        factor = linalg.cholesky(group.covariance, lower=True)
    except linalg.LinAlgError as error:
        raise ResponsesError(
            "the covariance of the item moments is singular; an item is all but always answered alike: leave it out"
        ) from error
    stacked = np.column_stack([group.residual, group.derivatives])
    solved = np.sqrt(group.n) * linalg.solve_triangular(factor, stacked, lower=True)
    return solved[:, 0], solved[:, 1:]


def _column_space(matrix: Array) -> tuple[Array, int]:
    """Orthonormal basis of the columns and its rank; columns are scaled first, slopes and intercepts differ in size."""

    length = np.linalg.norm(matrix, axis=0)
    basis, upper, _ = linalg.qr(matrix / np.where(length > 0, length, 1.0), mode="economic", pivoting=True)
    size = np.abs(np.diag(upper))
    rank = int(np.sum(size > size[0] * 1e-9)) if size.size else 0
    return np.asarray(basis[:, :rank], dtype=np.float64), rank


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
