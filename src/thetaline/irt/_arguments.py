"""What callers hand to the public functions, checked where it comes in: argument, value, what to do."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import InputError, ResponsesError
from thetaline.irt._coding import is_missing
from thetaline.irt._types import Array
from thetaline.irt.population import Population

SHOWN = 60  # characters of a value in a message
ADVICE = {
    "Responses": "Responses.from_long, from_frame or from_matrix makes them",
    "Items": "build them with Items(ids=.., model=.., a=.., b=..), or take those of a fit",
    "Fit": "irt.calibrate makes one",
    "Link": "irt.link makes one",
    "Scores": "irt.score makes them",
}


PersonPrior = Population | tuple[ArrayLike, ArrayLike]  # of one mean and sd for all, or of one a person
OnePrior = Population | tuple[float, float]


def shown(value: object) -> str:
    """Type and beginning of a value."""
    text = " ".join(repr(value).split())
    return f"{type(value).__name__} {text[:SHOWN]}{'…' if len(text) > SHOWN else ''}"


def check_kind(name: str, value: object, kind: type, advice: str) -> None:
    """Raise InputError with `advice` for what is not of this class."""
    if not isinstance(value, kind):
        raise InputError(f"{name} must be {kind.__name__}, not {shown(value)}; {advice}")


def check_kinds(**arguments: tuple[object, type]) -> None:
    """Raise InputError for the first argument, given as name=(value, class), that is not of its class."""
    for name, (value, kind) in arguments.items():
        check_kind(name, value, kind, ADVICE.get(kind.__name__, f"it is what irt.{kind.__name__} makes"))


def generator(rng: object) -> np.random.Generator:
    """Return a generator as it is, or the one that a whole number seeds; raises InputError for anything else."""
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, int | np.integer) and rng is not True and rng is not False and rng >= 0:
        return np.random.default_rng(int(rng))
    raise InputError(f"rng must be a numpy Generator or a seed (a whole number from 0), not {shown(rng)}; say rng=1")


def check_whole(name: str, value: object) -> None:
    """Raise InputError for what is no whole number."""
    if not isinstance(value, Integral):
        raise InputError(f"{name} must be a whole number, not {shown(value)}")


def check_number(name: str, value: object) -> None:
    """Raise InputError for what is no number."""
    if not isinstance(value, Real):
        raise InputError(f"{name} must be a number, not {shown(value)}")


def group_column(groups: ArrayLike, n_persons: int) -> NDArray[Any]:
    """Return one label a person, (N,).

    Raises InputError for another shape or labels that cannot be sorted, ResponsesError naming the rows without one.
    """
    raw = np.asarray(groups, dtype=object)
    if raw.shape != (n_persons,):
        raise InputError(f"groups has shape {raw.shape}; it needs one label for each of {n_persons} persons")
    complete = isinstance(groups, np.ndarray) and groups.dtype.kind in "biuSU"
    missing = np.flatnonzero([] if complete else [is_missing(label) for label in raw.tolist()])
    if missing.size:
        rows = f"{missing[:5].tolist()}" + (", …" if missing.size > 5 else "")
        raise ResponsesError(
            f"groups has no label for {missing.size} persons, rows {rows}; give them a group or leave them out"
        )
    column = np.asarray(groups)
    if column.dtype == object and len({type(label) for label in column.tolist()}) > 1:
        raise InputError("groups has labels of different types, which have no order; write them all as text")
    return column


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
    if isinstance(prior, Population):
        prior = prior.only()
    try:
        mean, sd = (np.asarray(part, dtype=np.float64) for part in prior)
    except (TypeError, ValueError) as error:
        raise InputError(f"a prior is a pair (mean, sd) or a fit's population, not {shown(prior)}") from error
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
