"""Bring item parameters into columns and refuse what is no item, naming the items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import ItemsError
from thetaline.irt._alignment import labelled_dict, labels_of
from thetaline.irt._coding import is_missing
from thetaline.irt._types import Array, Ids, Ints, Mask
from thetaline.irt.families import FAMILIES, model_names


def model_column(model: str | Sequence[str] | NDArray[Any] | Mapping[Any, str], ids: Ids) -> NDArray[np.str_]:
    """Return the model's name an item, shape (I,)."""
    if labels_of(model) is not None:
        model = labelled_dict(model)
        without = [name for name in ids.tolist() if name not in model]
        if without:
            raise ItemsError(f"no model is given for items {without[:5]}")
        names = [model[name] for name in ids.tolist()]
    else:
        names = (
            list(model)
            if isinstance(model, (Sequence, np.ndarray)) and not isinstance(model, str)
            else [model] * len(ids)
        )
    if len(names) != len(ids):
        raise ItemsError(f"{len(names)} models for {len(ids)} items")
    return np.array(model_names(names), dtype=np.str_)


def parameter_column(letter: str, value: ArrayLike, ids: Ids) -> Array:
    """Return one parameter as a fresh float column (I,); a scalar is repeated."""
    column = _numbers(letter, value)
    if column.ndim == 0:
        column = np.full(len(ids), float(column))
    if column.shape != ids.shape:
        raise ItemsError(f"{letter} has shape {column.shape} for {len(ids)} items")
    return column


def code_column(value: ArrayLike, ids: Ids) -> Ints:
    """Return the code of an item's lowest category (I,); a scalar is repeated."""
    column = parameter_column("lowest", value, ids)
    _refuse(ids, column != np.floor(column), "the code of the lowest category must be a whole number")
    return column.astype(np.int64)


def threshold_column(value: ArrayLike, ids: Ids) -> Array:
    """Return b as (I,), or (I, K - 1) when some item has thresholds."""
    b = _numbers("b", value)
    if b.ndim == 0:
        b = np.full(len(ids), float(b))
    if b.ndim not in (1, 2) or len(b) != len(ids):
        raise ItemsError(f"b has shape {b.shape} for {len(ids)} items; it must be (I,) or (I, K - 1)")
    return b[:, 0].copy() if b.ndim == 2 and b.shape[1] == 1 else b


def check_items(ids: Ids, model: NDArray[np.str_], columns: dict[str, Array]) -> dict[str, Array]:
    """Return the columns with NaN where a model has no such parameter; raise ItemsError for what cannot be."""
    missing = [place for place, name in enumerate(ids.tolist()) if is_missing(name)]
    if missing:
        raise ItemsError(f"every item needs an id; missing at position {missing[0]}")
    repeated = [name for name, n in _tally(ids).items() if n > 1]
    if repeated:
        raise ItemsError(f"item ids must be unique; repeated: {repeated[:5]}")
    _check_numbers(ids, model, columns)
    c = _asymptote("c", columns["c"], ids, _has(model, "has_c"), neutral=0.0)
    d = _asymptote("d", columns["d"], ids, _has(model, "has_d"), neutral=1.0)
    crossed = np.nan_to_num(c, nan=0.0) >= np.nan_to_num(d, nan=1.0)
    _refuse(ids, crossed, "c must be below d")
    return {"c": c, "d": d}


def _check_numbers(ids: Ids, model: NDArray[np.str_], columns: dict[str, Array]) -> None:
    a, b = columns["a"], columns["b"]
    _refuse(ids, ~np.isfinite(a), "a must be finite")
    first = b if b.ndim == 1 else b[:, 0]
    _refuse(ids, ~np.isfinite(first), "b must be finite")
    if b.ndim == 1:
        return
    finite = np.isfinite(b)
    _refuse(ids, np.isinf(b).any(axis=1), "b must be finite")
    _refuse(ids, (np.diff(finite.astype(int), axis=1) > 0).any(axis=1), "thresholds must be padded with NaN at the end")
    _refuse(ids, ~_has(model, "polytomous") & (finite.sum(axis=1) > 1), "a dichotomous model has one b")


def _asymptote(letter: str, column: Array, ids: Ids, has: Mask, *, neutral: float) -> Array:
    """NaN where the model has no such asymptote (its neutral value is taken there too), else within 0 and 1."""
    _refuse(ids, ~has & ~np.isnan(column) & (column != neutral), f"the model has no {letter}")
    _refuse(ids, has & ~((column >= 0) & (column <= 1)), f"{letter} must lie within 0 and 1")
    return np.where(has, column, np.nan)


def _has(model: NDArray[np.str_], what: str) -> Mask:
    return np.array([getattr(FAMILIES[name], what) for name in model.tolist()], dtype=bool)


def _refuse(ids: Ids, bad: Mask | np.bool_, rule: str) -> None:
    bad = np.asarray(bad)
    if bad.any():
        raise ItemsError(f"{rule}: items {ids[bad][:5].tolist()}")


def _tally(ids: Ids) -> dict[object, int]:
    try:
        return Counter(ids.tolist())
    except TypeError as error:
        raise ItemsError(f"item ids must be hashable scalars: {error}") from error


def _numbers(letter: str, value: ArrayLike) -> Array:
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ItemsError(f"{letter} must be numbers: {error}") from error
