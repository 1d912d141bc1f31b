"""Item parameters as JSON has them, {"a": 1.2, "b": 0.5, "c"?: 0.2, "d"?: 0.9}, and as `irt.Items`."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from thetaline import irt
from thetaline.jobs.arrays import Array

Params = Mapping[str, float | None]

_ABSENT = {"a": 1.0, "b": np.nan, "c": 0.0, "d": 1.0}  # what a parameter is that a row does not give


def parameter_names(model: str) -> tuple[str, ...]:
    """The parameters that an item of a dichotomous model has, in the order a, b, c, d."""
    family = irt.FAMILIES[model]
    return ("a", "b", *(["c"] if family.has_c else []), *(["d"] if family.has_d else []))


def items_of_params(ids: Iterable[object], models: Sequence[str], params: Sequence[Params]) -> irt.Items:
    """Dichotomous items (I,) from the parameters of each.

    An absent or null a is 1, c is 0, d is 1; a parameter that the item's model does not have is ignored. Raises
    ItemsError, also for an absent b.
    """
    names = {model: parameter_names(model) for model in set(models)}
    columns = {name: _column(name, models, params, names) for name in _ABSENT}
    return irt.Items(ids=ids, model=list(models), **columns)


def _column(name: str, models: Sequence[str], params: Sequence[Params], names: Mapping[str, Sequence[str]]) -> Array:
    """(I,) NaN where the item's model lacks the parameter."""
    lacking = {model for model, its_names in names.items() if name not in its_names}
    if len(lacking) == len(names):
        return np.full(len(params), np.nan)
    absent = _ABSENT[name]
    values = [absent if (value := one.get(name)) is None else float(value) for one in params]
    if lacking:
        values = [np.nan if model in lacking else value for model, value in zip(models, values, strict=True)]
    return np.array(values, dtype=np.float64)
