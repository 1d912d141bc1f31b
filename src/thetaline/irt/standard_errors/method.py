"""What a method of standard errors is: information in, covariance of the free parameters out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Index
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.parameter_index import ParameterIndex


class Inverse(NamedTuple):
    """A covariance, (n, n), and whether the information that it inverts is positive definite."""

    covariance: Array
    positive_definite: bool


class Method(NamedTuple):
    """Covariance of all parameters, and of each item by itself, (I, P, P), for banks whose full matrix does not fit.

    The second leaves out covariances between items, which makes errors slightly too small; shared slopes and
    populations, whose information is spread over all items, get none.
    """

    full: Callable[[Solution, ParameterIndex, ThreadPoolExecutor | None], Inverse]
    by_item: Callable[[Solution, ParameterIndex], Array]


def inverse(information: Array) -> Inverse:
    """Invert a symmetric matrix; where it is not positive definite that is the pseudo-inverse."""
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return Inverse(np.asarray(np.linalg.pinv(information, hermitian=True), dtype=np.float64), False)
    return Inverse(np.asarray(np.linalg.inv(information), dtype=np.float64), True)


def inverse_by_item(information: Array, numbers: Index) -> Array:
    """Invert each item's block (I, P, P); rows without a parameter of the item's own become unit rows."""
    none = numbers < 0
    safe = np.where(none[:, :, None] | none[:, None, :], 0.0, information)
    diagonal = np.arange(information.shape[1])
    safe[:, diagonal, diagonal] = np.where(none, 1.0, safe[:, diagonal, diagonal])
    return np.asarray(np.linalg.pinv(safe, hermitian=True), dtype=np.float64)
