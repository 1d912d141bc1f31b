"""What callers hand to the public functions, checked where it comes in: argument, value, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import InputError, ResponsesError
from thetaline.irt._alignment import aligned, labels_of, rows_beside
from thetaline.irt._coding import ids_or_positions, is_missing, objects
from thetaline.irt._types import Array, Ids, Labelled
from thetaline.irt.population import Population

SHOWN = 60  # characters of a value in a message
PAIR = ("mean", "sd")
ADVICE = {
    "Responses": "Responses.from_long, from_frame or from_matrix makes them",
    "Items": "build them with Items(ids=.., model=.., a=.., b=..), or take those of a fit",
    "Fit": "irt.calibrate makes one",
    "Link": "irt.link makes one",
    "Scores": "irt.score makes them",
}


PersonPrior = Population | tuple[Labelled, Labelled]  # of one mean and sd for all, or of one a person
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


def group_column(groups: Labelled, person_ids: Ids) -> NDArray[Any]:
    """Return one label a person, (N,), matched by id where the labels have ids.

    Raises InputError for another shape, persons without a label or labels that cannot be sorted, ResponsesError naming
    the rows where one is missing.
    """
    column = aligned(groups, person_ids, "groups")
    raw = np.asarray(column, dtype=object)
    if raw.shape != person_ids.shape:
        raise InputError(f"groups has shape {raw.shape}; it needs one label for each of {len(person_ids)} persons")
    missing = np.flatnonzero([] if column.dtype.kind in "biuSU" else [is_missing(label) for label in raw.tolist()])
    if missing.size:
        rows = f"{missing[:5].tolist()}" + (", …" if missing.size > 5 else "")
        raise ResponsesError(
            f"groups has no label for {missing.size} persons, rows {rows}; give them a group or leave them out"
        )
    if column.dtype == object and len({type(label) for label in column.tolist()}) > 1:
        raise InputError("groups has labels of different types, which have no order; write them all as text")
    return column


def ability_column(theta: Labelled) -> Array:
    """Return abilities as (N,), one number as (1,); raises InputError with the first that is not finite."""
    values = list(theta.values()) if isinstance(theta, Mapping) else theta
    try:
        column = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(f"theta must be numbers: {error}") from error
    if column.ndim != 1:
        raise InputError(f"theta must be one column of abilities, not an array of shape {column.shape}")
    wrong = np.flatnonzero(~np.isfinite(column))
    if wrong.size:
        raise InputError(f"theta must be finite; at position {wrong[0]} it is {column[wrong[0]]}")
    return column


def person_abilities(theta: Labelled, persons: Iterable[Any] | None = None) -> tuple[Ids, Array]:
    """Return the ids and abilities of N persons: by id where both have ids, else by position.

    Without `persons` the labels of `theta` are the ids, or 0 … N − 1.  Raises InputError for nobody too.
    """
    if persons is None:
        column, ids = ability_column(theta), labels_of(theta)
    else:
        ids = list(persons)
        column = ability_column(aligned(theta, objects(ids), "theta", rows=rows_beside(persons, len(ids))))
    if not column.size:
        raise InputError("theta holds no abilities; one a person is needed")
    return ids_or_positions(ids, len(column), "persons"), column


def normal_prior(prior: Any, person_ids: Ids | None = None) -> tuple[Array, Array]:
    """Return mean and sd of a normal as arrays, of labelled columns by `person_ids`.

    Raises InputError for what is no pair of finite numbers with sd > 0.
    """
    if isinstance(prior, Population):
        prior = prior.only()
    if labels_of(prior) is not None:
        raise InputError(
            f"a prior is a pair (mean, sd), not {shown(prior)}; give the pair of its columns, each a Series or a "
            "mapping by person id"
        )
    try:
        parts = list(prior)
        if person_ids is not None:
            parts = [aligned(part, person_ids, f"the prior's {name}") for name, part in zip(PAIR, parts, strict=True)]
        mean, sd = (np.asarray(part, dtype=np.float64) for part in parts)
    except InputError:
        raise
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
