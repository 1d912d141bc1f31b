"""Declared codes of categories: what people write as 1 … 5 is category 0 … 4."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import InputError, ResponsesError
from thetaline.irt._alignment import aligned, labelled_dict, labels_of
from thetaline.irt._coding import MAX_CATEGORY, is_missing
from thetaline.irt._types import Array, Categories, Ids, Index, Ints, Labelled

CategoryRange = tuple[int, int] | Labelled


def parse_ranges(categories: CategoryRange, item_ids: Ids) -> Ints:
    """Return lowest and highest code of every item, (I, 2): one pair for all, or a mapping or Series by item id.

    Raises InputError for what is no such pair and for items without one.
    """
    pairs: list[Any] = [categories] * len(item_ids)
    if labels_of(categories) is not None:
        known = labelled_dict(categories)
        at = aligned({name: row for row, name in enumerate(known)}, item_ids, "categories", of="items")
        pairs = [list(known.values())[row] for row in at.tolist()]
    for pair in dict.fromkeys(map(_hashable, pairs)):
        _check(pair)
    return np.array(pairs, dtype=np.int64).reshape(len(item_ids), 2)


def _hashable(pair: Any) -> Any:
    return tuple(pair) if isinstance(pair, list | np.ndarray) else pair


def _check(pair: Any) -> None:
    whole = isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(code, Integral) for code in pair)
    if not (whole and 1 <= pair[1] - pair[0] <= MAX_CATEGORY):
        raise InputError(
            f"categories are whole numbers (lowest, highest), at most {MAX_CATEGORY} apart, or such a pair an item by "
            f"its id, not {pair!r}; say categories=(1, 5)"
        )


def answers_by_code(codes: NDArray[Any], item: NDArray[np.integer], item_ids: Ids, ranges: Ints) -> Categories:
    """Return the categories of codes (M,) given to items at `item` (M,); raises ResponsesError for other codes."""
    values = _numbers(codes)
    low, high = ranges[item, 0], ranges[item, 1]
    wrong = np.flatnonzero(~((values >= low) & (values <= high) & (values == np.floor(values))))
    if wrong.size:
        at = wrong[0]
        raise ResponsesError(
            f"item {item_ids[item[at]]!r} is declared to have the categories {low[at]} … {high[at]}, but answer {at} "
            f"is {codes[at]!s}"
        )
    return np.asarray(values - low).astype(np.uint8)


def codes_of(answer: Categories, item: NDArray[np.integer], ranges: Ints | None) -> NDArray[np.integer]:
    """Return categories (M,) as they were coded."""
    return answer if ranges is None or not ranges[:, 0].any() else answer + ranges[item, 0]


def _numbers(codes: NDArray[Any]) -> Array:
    if codes.dtype.kind in "biuf":
        return codes.astype(np.float64)
    return np.array(
        [float(code) if isinstance(code, Real) and not is_missing(code) else np.nan for code in codes.tolist()]
    )


def joined_ranges(first: Ints | None, second: Ints | None, at: Index) -> Ints | None:
    """The ranges of the items of both; those of the second stand at `at`.

    Raises ResponsesError where only one side declares some, or both differ.
    """
    if first is None and second is None:
        return None
    if first is None or second is None:
        raise ResponsesError("one of the two has declared categories and the other has not; declare those of both")
    common = at < len(first)
    differ = (first[at[common]] != second[common]).any(axis=1)
    if differ.any():
        one, other = first[at[common]][differ][0].tolist(), second[common][differ][0].tolist()
        raise ResponsesError(f"{differ.sum()} items are declared differently in the two, first {one} and {other}")
    return np.concatenate([first, second[~common]])
