"""Abilities and priors that callers give, checked where they come in."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thetaline.errors import InputError
from thetaline.irt._types import Array


def ability_column(theta: ArrayLike) -> Array:
    """Return abilities as (N,), one number as (1,); raises InputError with the first that is not finite."""
    try:
        column = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(f"theta must be numbers: {error}") from error
    if column.ndim != 1:
        raise InputError(f"theta must be one column of abilities, not an array of shape {column.shape}")
    wrong = np.flatnonzero(~np.isfinite(column))
    if wrong.size:
        raise InputError(f"theta must be finite; at position {wrong[0]} it is {column[wrong[0]]}")
    return column


def person_abilities(theta: ArrayLike) -> Array:
    """Return the abilities of N persons; raises InputError for nobody too."""
    column = ability_column(theta)
    if not column.size:
        raise InputError("theta holds no abilities; one a person is needed")
    return column


def normal_prior(prior: Any) -> tuple[Array, Array]:
    """Return mean and sd of a normal as arrays; raises InputError for what is no pair of finite numbers with sd > 0."""
    try:
        mean, sd = (np.asarray(part, dtype=np.float64) for part in prior)
    except (TypeError, ValueError) as error:
        raise InputError(f"a prior is a pair (mean, sd) of numbers, not {prior!r}") from error
    if not np.isfinite(mean).all():
        raise InputError(f"a prior needs finite means, not {_first(mean, np.isfinite(mean))}")
    fine = np.isfinite(sd) & (sd > 0)
    if not fine.all():
        raise InputError(f"a prior needs finite standard deviations above 0, not {_first(sd, fine)}")
    return mean, sd


def one_normal_prior(prior: Any) -> tuple[float, float]:
    """Return mean and sd of one normal prior; raises InputError for columns of them too."""
    mean, sd = normal_prior(prior)
    if mean.ndim or sd.ndim:
        raise InputError(f"one prior for all is needed, not columns of shapes {mean.shape} and {sd.shape}")
    return float(mean), float(sd)


def _first(values: Array, fine: Any) -> float:
    return float(np.atleast_1d(values)[~np.atleast_1d(fine)][0])
