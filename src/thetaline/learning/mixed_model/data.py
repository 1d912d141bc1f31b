"""What a mixed model is fitted to: columns that are checked, weeks as numbers, and what they cannot tell apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import InputError, NotFittedError
from thetaline.learning._types import Array, Ints
from thetaline.learning.mixed_model.formula import Formula

WEEK_DAYS = 7
MOST_EXPLAINED = 0.5  # of the variance of a column by the groups of a random term, before a note


class Family(StrEnum):
    """Of a score: any number; or right of `trials` answers under the logit link."""

    GAUSSIAN = "gaussian"
    BINOMIAL = "binomial"


def family_of(name: Family | str) -> Family:
    """Raises InputError for a family that there is not."""
    try:
        return Family(name)
    except ValueError:
        raise InputError(f"there is no family {name!r}; there are {', '.join(Family)}") from None


@dataclass(frozen=True, slots=True, eq=False)
class ModelData:
    """n rows: the response (n,), numeric columns (n,), codes from 0 (n,) and labels of each group, weights (n,)."""

    response: Array
    columns: Mapping[str, Array]
    codes: Mapping[str, Ints]
    labels: Mapping[str, NDArray[Any]]
    weights: Array | None  # trials of a binomial score; None: all alike
    error_variance: Array | None  # of a Gaussian score

    @property
    def centres(self) -> Mapping[str, float]:
        """Means of the columns. Far from them, as in weeks since 1970, level and slope of a learner look like one."""
        return {name: float(column.mean()) for name, column in self.columns.items()}

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.response.size)


def model_data(
    formula: Formula,
    columns: Mapping[str, ArrayLike],
    family: Family,
    *,
    trials: ArrayLike | None = None,
    error_variance: ArrayLike | None = None,
) -> ModelData:
    """The columns of the formula. Raises NotFittedError for what no model can be fitted to."""
    needed = (formula.response, *formula.columns, *formula.groups)
    if absent := [name for name in needed if name not in columns]:
        raise NotFittedError(f"the formula needs column {absent[0]!r}; there are {', '.join(columns) or 'none'}")
    response = _numbers(columns[formula.response], formula.response, None)
    numeric = {name: _numbers(columns[name], name, response.size) for name in formula.columns}
    grouped = {name: _levels(columns[name], name, response.size) for name in formula.groups}
    data = ModelData(
        response,
        numeric,
        {name: codes for name, (_, codes) in grouped.items()},
        {name: labels for name, (labels, _) in grouped.items()},
        None if trials is None else _numbers(trials, "trials", response.size),
        None if error_variance is None else _numbers(error_variance, "error_variance", response.size),
    )
    _check(data, formula, family)
    return data


def calendar_weeks(weeks: ArrayLike, now: np.datetime64) -> Array:
    """(n,) Mondays as whole weeks since the Monday `now`: 0 is now, a week without scores is a gap and no step."""
    days = (np.asarray(weeks, "datetime64[D]") - now.astype("datetime64[D]")).astype(np.int64)
    return np.asarray(days / WEEK_DAYS, np.float64)


def confounding_note(column: Array, codes: Ints, *, name: str, group: str) -> str | None:
    """What to say where groups follow a column: topics that are taught in order follow the weeks.

    By eta², the share of the column's variance that lies between groups.
    """
    n = np.bincount(codes)
    mean = np.bincount(codes, column) / np.maximum(n, 1)
    total = float(np.square(column - column.mean()).sum())
    between = float((n * np.square(mean - column.mean())).sum())
    if total == 0 or between / total <= MOST_EXPLAINED:
        return None
    return (
        f"{between / total:.0%} of the variance of {name} lies between the levels of {group}, which follow it in "
        f"order: growth over {name} and differences of {group} cannot be told apart"
    )


def _numbers(values: ArrayLike, name: str, n: int | None) -> Array:
    given = np.asarray(values)
    if given.dtype.kind in "mM":
        raise NotFittedError(f"column {name!r} has days; calendar_weeks makes numbers of Mondays")
    try:
        array = given.astype(np.float64)
    except (TypeError, ValueError):
        raise NotFittedError(f"column {name!r} has values that are no numbers") from None
    _check_shape(array, name, n)
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        raise NotFittedError(f"column {name!r} is {array[row]} in row {row}; leave such rows out")
    return array


def _levels(values: ArrayLike, name: str, n: int) -> tuple[NDArray[Any], Ints]:
    """Labels of a group in their order, and the code of each row."""
    array = np.asarray(values)
    _check_shape(array, name, n)
    if array.dtype.kind in "fOmM" and (missing := [row for row, one in enumerate(array) if _is_missing(one)]):
        raise NotFittedError(f"column {name!r} is missing in row {missing[0]}; leave such rows out")
    try:
        labels, codes = np.unique(array, return_inverse=True)
    except TypeError:
        raise NotFittedError(f"column {name!r} has labels of different types; make all of them text") from None
    return labels, codes.astype(np.int64)


def _is_missing(value: object) -> bool:
    try:
        return value is None or bool(value != value)  # noqa: PLR0124 - NaN is not itself
    except TypeError:  # the missing value of pandas has no truth
        return True


def _check_shape(array: NDArray[Any], name: str, n: int | None) -> None:
    if array.ndim != 1:
        raise NotFittedError(f"column {name!r} has the shape {array.shape}; one value a row is needed")
    if n is not None and array.size != n:
        raise NotFittedError(f"column {name!r} has {array.size} values, the response {n}")


def _check(data: ModelData, formula: Formula, family: Family) -> None:
    n_effects = len(formula.fixed) + 1
    if data.n <= n_effects + 1:
        raise NotFittedError(f"{data.n} rows are too few for {n_effects} fixed effects and a variance")
    if np.ptp(data.response) == 0:
        raise NotFittedError(f"every {formula.response} is {data.response[0]:g}; there is nothing to explain")
    for name in formula.fixed:
        if np.ptp(data.columns[name]) == 0:
            raise NotFittedError(f"every {name} is {data.columns[name][0]:g}; a slope needs two different values")
    for name, labels in data.labels.items():
        if labels.size < 2:
            raise NotFittedError(f"there is one {name} only; its variance needs two")
        if labels.size == data.n and family is Family.GAUSSIAN:
            raise NotFittedError(f"each {name} has one row only; its variance and the error's are one")
    _check_family(data, formula, family)


def _check_family(data: ModelData, formula: Formula, family: Family) -> None:
    if family is Family.BINOMIAL:
        trials = np.ones(data.n) if data.weights is None else data.weights
        right = data.response * trials
        if (trials < 1).any() or ((data.response < 0) | (data.response > 1)).any() or _fraction(right) > 1e-6:
            raise NotFittedError(f"a binomial {formula.response} is 0 or 1, or a share right of `trials` answers")
        if data.error_variance is not None:
            raise NotFittedError("error_variance belongs to a Gaussian score; a binomial one has its own")
    elif data.weights is not None:
        raise NotFittedError("trials belong to a binomial score; give error_variance for a Gaussian one")
    elif data.error_variance is not None and (data.error_variance < 0).any():
        raise NotFittedError("error_variance has negative values")


def _fraction(values: Array) -> float:
    return float(np.abs(values - np.round(values)).max())
