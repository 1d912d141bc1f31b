"""What `calibrate` was handed, checked for its kind before anything is computed: argument, value, what to do."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import InputError, ResponsesError
from thetaline.irt.grid import Grid
from thetaline.irt.items import Items
from thetaline.irt.priors import Priors
from thetaline.irt.responses import Responses

NO_LABEL = ("nan", "NaT", "<NA>")  # how NaN and pandas' missing values print
SHOWN = 60  # characters of a value in a message


def check_data(responses: object, anchors: object, priors: object, grid: object) -> None:
    """Raise InputError for anything but Responses and, where they are given, Items, Priors and a Grid."""
    _check_kind("responses", responses, Responses, "Responses.from_long, from_frame or from_matrix makes them")
    optional = (
        ("anchors", anchors, Items, "build them with Items(ids=.., model=.., a=.., b=..)"),
        ("priors", priors, Priors, "write Priors(a=LogNormal(0, 0.5), b=Normal(0, 2))"),
        ("grid", grid, Grid, "write Grid(61, -6, 6)"),
    )
    for name, value, kind, advice in optional:
        if value is not None:
            _check_kind(name, value, kind, advice)


def check_choices(model: object, min_answers: object, threads: object, progress: object) -> None:
    """Raise InputError for choices of the wrong type."""
    if not isinstance(model, str | Mapping | Sequence | np.ndarray):
        raise InputError(f"model must be a name, {{item id: name}} or a name an item, not {shown(model)}; say '2PL'")
    check_whole("min_answers", min_answers)
    if threads is not None:
        check_whole("threads", threads)
    if progress is not None and not callable(progress):
        raise InputError(f"progress must be a function of a cycle, not {shown(progress)}")


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
    missing = np.flatnonzero([] if complete else [_missing(label) for label in raw.tolist()])
    if missing.size:
        rows = f"{missing[:5].tolist()}" + (", …" if missing.size > 5 else "")
        raise ResponsesError(
            f"groups has no label for {missing.size} persons, rows {rows}; give them a group or leave them out"
        )
    column = np.asarray(groups)
    if column.dtype == object and len({type(label) for label in column.tolist()}) > 1:
        raise InputError("groups has labels of different types, which have no order; write them all as text")
    return column


def _missing(label: Any) -> bool:
    return label is None or (not isinstance(label, str) and str(label) in NO_LABEL)


def _check_kind(name: str, value: object, kind: type, advice: str) -> None:
    if not isinstance(value, kind):
        raise InputError(f"{name} must be {kind.__name__}, not {shown(value)}; {advice}")


def shown(value: object) -> str:
    """Type and beginning of a value."""
    text = " ".join(repr(value).split())
    return f"{type(value).__name__} {text[:SHOWN]}{'…' if len(text) > SHOWN else ''}"
