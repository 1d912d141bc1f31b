"""Estimates beside their standard errors and intervals, a row a parameter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from thetaline.irt._coding import frame
from thetaline.irt._scipy import special
from thetaline.irt._types import Array, Ids, short_repr
from thetaline.irt.items import Items
from thetaline.irt.p_values import check_level
from thetaline.irt.population import Population
from thetaline.irt.standard_errors import StandardErrors

if TYPE_CHECKING:
    import pandas as pd


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """P estimates: a, b (or b1, b2, ..), c, d of items, then mean and sd of groups; what was held has NaN errors."""

    ids: Ids  # (P,) item ids, then group labels
    parameter: Ids  # (P,) "a", "b", .., "mean", "sd"
    estimate: Array  # (P,)
    se: Array  # (P,)
    lower: Array  # (P,)
    upper: Array  # (P,)
    level: float

    def to_frame(self) -> "pd.DataFrame":
        """Return one row a parameter: item_id (or group), parameter, estimate, se, lower, upper.  Needs pandas."""
        names = {"item_id": self.ids, "parameter": self.parameter}
        return frame({**names, "estimate": self.estimate, "se": self.se, "lower": self.lower, "upper": self.upper})


def coefficients(items: Items, population: Population, errors: StandardErrors, level: float) -> Coefficients:
    """Wald intervals of `level`: of a, b and means as they are, of c and d in the logit, of sds in the logarithm.

    An interval of c or d so stays within 0 and 1, one of an sd above 0.  Raises InputError for what is no level.
    """
    check_level(level)
    columns = [*_item_columns(items, errors), *_group_columns(population, errors)]
    ids, names, estimate, se = (np.concatenate(part) for part in zip(*columns, strict=True))
    known = np.isfinite(estimate)
    ids, names, estimate, se = ids[known], names[known], estimate[known], se[known]
    z = float(special.ndtri(0.5 + level / 2.0))
    lower, upper = estimate - z * se, estimate + z * se
    share, sd = np.isin(names, ("c", "d")), names == "sd"
    lower[share], upper[share] = _logit_interval(estimate[share], z * se[share])
    with np.errstate(over="ignore"):  # an sd that ran towards 0 may be anything up to inf
        lower[sd], upper[sd] = estimate[sd] * np.exp(np.outer((-z, z), se[sd] / estimate[sd]))
    return Coefficients(ids, names, estimate, se, lower, upper, level)


def _item_columns(items: Items, errors: StandardErrors) -> Sequence[tuple[Ids, Ids, Array, Array]]:
    many = items.thresholds.shape[1] > 1
    steps = [f"b{k + 1}" if many else "b" for k in range(items.thresholds.shape[1])]
    table = np.column_stack([items.a, items.thresholds, items.c, items.d])
    of_error = np.column_stack([errors.a, errors.thresholds, errors.c, errors.d])
    names = np.array(["a", *steps, "c", "d"], dtype=object)
    return [(np.repeat(items.ids, len(names)), np.tile(names, len(items)), table.ravel(), of_error.ravel())]


def _group_columns(population: Population, errors: StandardErrors) -> Sequence[tuple[Ids, Ids, Array, Array]]:
    labels = np.empty(len(population.groups), dtype=object)
    labels[:] = population.groups
    both = (("mean", population.mean, errors.mean), ("sd", population.sd, errors.sd))
    return [(labels, np.full(len(labels), name, dtype=object), value, se) for name, value, se in both]


def _logit_interval(p: Array, half_width: Array) -> tuple[Array, Array]:
    """Expit(logit p ∓ half width / (p (1 - p))); NaN at 0 and 1, where there is no such interval."""
    with np.errstate(divide="ignore", invalid="ignore"):
        step = half_width / (p * (1.0 - p))
        low, high = (special.expit(special.logit(p) + sign * step) for sign in (-1.0, 1.0))
    inside = (p > 0.0) & (p < 1.0)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)
