"""Values that belong to persons or items, matched to these by their labels: the one place where that is done.

A mapping goes by its keys; a Series or a data frame of pandas, or what has an index as they have, by that.  Anything
else has no labels and goes by position.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import InputError, ResponsesError
from thetaline.irt._coding import plain
from thetaline.irt._types import Labelled, Mask

SHOWN = 5  # ids in a message


def labels_of(values: object) -> list[Any] | None:
    """The labels of a mapping or of what has an index; None for what goes by position."""
    if isinstance(values, Mapping):
        return list(values)
    index = getattr(values, "index", None)  # of a list it is a method
    if index is None or callable(index) or not hasattr(values, "to_numpy"):
        return None
    return list(index.tolist())


def aligned(
    values: Labelled, ids: NDArray[Any], name: str, *, of: str = "persons", rows: Sequence[Any] | None = None
) -> NDArray[Any]:
    """Return `values` in the order of `ids`: by their labels, as they stand where they have none.

    `rows` are those of `rows_beside`: a column of the ids' own table goes with them row by row.  Raises InputError
    naming the ids that have no value or several.
    """
    labels = labels_of(values)
    column = plain(list(values.values()) if isinstance(values, Mapping) else values)
    wanted = ids.tolist()
    if labels is None or labels in (wanted, rows):
        return column
    place = {label: position for position, label in enumerate(labels)}
    missing = [known for known in wanted if known not in place]
    if missing and rows is not None and len(rows) == len(labels) and all(row in place for row in rows):
        wanted, missing = list(rows), []
    if missing:
        raise InputError(
            f"{name} has no value for {len(missing)} of {len(ids)} {of}, first {missing[:SHOWN]}; its labels are "
            f"{labels[:SHOWN]}{' …' if len(labels) > SHOWN else ''}: label the values by the ids of the {of}, or give "
            "an array, which goes by position"
        )
    if len(place) < len(labels):
        _refuse_repeated(labels, wanted, name)
    return column[[place[known] for known in wanted]]


def rows_beside(ids: object, n: int) -> Sequence[Any]:
    """The row labels of ids that a caller gives: those of their table, whose columns stand row by row.

    Else a range, which equals no list: labels 0 … n − 1, as pandas numbers new columns, count as rows where they are no
    ids.
    """
    labels = labels_of(ids)
    return range(n) if labels is None else labels


def labelled_dict(values: Labelled) -> dict[Any, Any]:
    """A mapping, or a Series by its labels, as a dict; raises InputError for what has no labels, and repeated ones."""
    if isinstance(values, Mapping):
        return dict(values)
    labels = labels_of(values)
    if labels is None:
        raise InputError(f"a mapping by id, or a Series, is needed, not {type(values).__name__}")
    out = dict(zip(labels, plain(values).tolist(), strict=True))
    if len(out) < len(labels):
        _refuse_repeated(labels, labels, "the Series")
    return out


def check_same_rows(**columns: object) -> None:
    """Raise InputError where columns that go line by line carry labels that differ: one of them was sorted or cut."""
    known = {name: labels for name, values in columns.items() if (labels := labels_of(values)) is not None}
    (first, labels), *others = known.items() or [("", [])]
    for name, others_labels in others:
        if others_labels != labels:
            raise InputError(
                f"{first} and {name} are labelled differently, by {labels[:SHOWN]} and {others_labels[:SHOWN]} …; take "
                "them from one table, or give arrays, which go by position"
            )


def _refuse_repeated(labels: Iterable[Any], ids: Iterable[Any], name: str) -> None:
    wanted, seen, repeated = set(ids), set(), []
    for label in labels:
        if label in seen and label in wanted:
            repeated.append(label)
        seen.add(label)
    if repeated:
        raise InputError(f"{name} has several values for {list(dict.fromkeys(repeated))[:SHOWN]}; give one an id")


def mask_by_id(values: Labelled, ids: NDArray[Any], name: str) -> Mask:
    """Return one boolean an id, by its label or by position; raises ResponsesError for what is none."""
    try:
        column = aligned(values, ids, name, of=name)
    except InputError as error:
        raise ResponsesError(str(error)) from error
    if column.shape != ids.shape:
        raise ResponsesError(f"{name} needs one true or false for each of {len(ids)}, not shape {column.shape}")
    if column.dtype != bool and not all(isinstance(value, (bool, np.bool_)) for value in column.tolist()):
        raise ResponsesError(
            f"{name} takes true or false, not {column.dtype}; for ids there is .persons() and .items()"
        )
    return column.astype(bool)
