"""A fitted mixed model as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import NotFittedError
from thetaline.learning._types import Array
from thetaline.learning.mixed_model.data import Family
from thetaline.learning.mixed_model.formula import Formula


class Coefficient(NamedTuple):
    """A fixed effect; z = estimate / se."""

    term: str
    estimate: float
    se: float
    z: float


class FallBack(NamedTuple):
    """A model that was tried and not taken, and why."""

    formula: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class GroupEffects:
    """Of L levels and q effects: their covariance, and of each level the BLUP with its standard error.

    The errors are sds of the effects given the data and the estimated parameters, as `lme4::ranef(condVar = TRUE)`.
    """

    group: str
    names: tuple[str, ...]  # (q,)
    levels: NDArray[Any]  # (L,)
    covariance: Array  # (q, q)
    values: Array  # (L, q)
    se: Array  # (L, q)

    @property
    def sd(self) -> Array:
        """(q,) of the effects in the population of levels."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def correlation(self) -> float | None:
        """Of intercept and slope; None without a slope."""
        return float(self.covariance[0, 1] / self.sd.prod()) if len(self.names) == 2 else None

    def as_json(self) -> dict[str, object]:
        """What describes the population, without the levels."""
        shown: dict[str, object] = {"n_levels": int(self.levels.size)}
        shown["sd"] = dict(zip(self.names, self.sd.tolist(), strict=True))
        return shown if self.correlation is None else {**shown, "correlation": self.correlation}


@dataclass(frozen=True, slots=True, eq=False)
class MixedFit:
    """A converged, non-singular fit of `formula`, the first of those tried that was both."""

    formula: Formula
    family: Family
    n: int
    coefficients: tuple[Coefficient, ...]
    covariance: Array  # of the fixed effects
    groups: tuple[GroupEffects, ...]
    residual_sd: float | None  # beside the known error; None for a binomial score
    metrics: Mapping[str, float]  # logLik, AIC, BIC, RMSE
    reml: bool
    fell_back_from: tuple[FallBack, ...]
    notes: tuple[str, ...]

    def effects(self, group: str) -> GroupEffects | None:
        """Of a group; None where the model has none for it."""
        return next((one for one in self.groups if one.group == group), None)

    def predict(self, columns: Mapping[str, Array], groups: Mapping[str, NDArray[Any]]) -> Array:
        """(n,) of new rows, on the scale of the response: the mean for a level that was not in the data.

        Raises NotFittedError for a column that the formula has and `columns` has not.
        """
        if absent := [name for name in self.formula.columns if name not in columns]:
            raise NotFittedError(f"the formula needs column {absent[0]!r}")
        size = len(next(iter([*columns.values(), *groups.values()])))
        eta = np.full(size, self.coefficients[0].estimate)
        for one in self.coefficients[1:]:
            eta = eta + one.estimate * columns[one.term]
        for effects in self.groups:
            if effects.group in groups:
                eta = eta + _contribution(effects, columns, groups[effects.group])
        return np.asarray(1 / (1 + np.exp(-eta)) if self.family is Family.BINOMIAL else eta)


def _contribution(effects: GroupEffects, columns: Mapping[str, Array], labels: NDArray[Any]) -> Array:
    place = np.minimum(np.searchsorted(effects.levels, labels), effects.levels.size - 1)
    values = np.where((effects.levels[place] == labels)[:, None], effects.values[place], 0.0)
    slope = values[:, 1] * columns[effects.names[1]] if len(effects.names) == 2 else 0.0
    return np.asarray(values[:, 0] + slope)
