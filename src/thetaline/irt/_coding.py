"""Turn what callers hold (lists, arrays, Series, Arrow columns) into codes and categories."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import InputError, ItemsError, ResponsesError
from thetaline.irt._types import Array, Categories, Ids, Index

if TYPE_CHECKING:
    import pandas as pd

MAX_CATEGORY = 254  # categories are stored in a byte
RULE = f"answers must be 0/1 or categories 0, 1, 2 .. {MAX_CATEGORY}"
SPREAD = 4  # integer ids are looked up in a table when their range is at most this many times the number of answers


def answer_column(values: ArrayLike) -> Categories:
    """Return categories as bytes; raises ResponsesError with the first value that is no category."""
    column = plain(values)
    if column.ndim != 1:
        raise ResponsesError(f"answers must be one column, not an array of shape {column.shape}")
    numbers = column if column.dtype.kind in "biuf" else _numbers(column)
    codes = as_categories(numbers)
    if codes is None:
        at = first_fault(numbers)
        raise ResponsesError(f"{RULE}; row {at} has {column[at]!s}; leave unanswered rows out")
    return codes


def _numbers(column: NDArray[Any]) -> Array:
    """Objects as numbers, None as NaN."""
    for at, value in enumerate(column.tolist()):
        if not (value is None or isinstance(value, (bool, int, float, np.generic))):
            raise ResponsesError(f"{RULE}; row {at} has {value!r}; leave unanswered rows out")
    return column.astype(np.float64)


def as_categories(numbers: NDArray[Any]) -> Categories | None:
    """Numbers as bytes; None where one of them is no category."""
    if numbers.dtype == bool or not numbers.size:
        return numbers.astype(np.uint8)
    if not (numbers.min() >= 0 and numbers.max() <= MAX_CATEGORY):
        return None
    codes = numbers.astype(np.uint8, copy=False)
    return codes if numbers.dtype.kind in "iu" or (codes == numbers).all() else None


def first_fault(numbers: NDArray[Any]) -> int:
    """Position of the first number that is no category."""
    good = (numbers >= 0) & (numbers <= MAX_CATEGORY) & (numbers == np.floor(numbers))
    return int(np.flatnonzero(~good)[0])


def code_ids(values: ArrayLike, name: str) -> tuple[Ids, NDArray[np.int32]]:
    """Return distinct ids, sorted where they can be, and every row's code; raises ResponsesError for missing ids."""
    column = plain(values)
    if column.ndim != 1:
        raise ResponsesError(f"{name} must be one column, not an array of shape {column.shape}")
    if column.dtype.kind in "iu" and column.size:
        low, high = int(column.min()), int(column.max())
        if high - low < SPREAD * column.size + 1000:
            return _code_by_table(column, low, high)
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        raise ResponsesError(f"{name} has missing values, first at row {int(np.flatnonzero(~np.isfinite(column))[0])}")
    if column.dtype.kind in "biuf":
        ids, codes = np.unique(column, return_inverse=True)
        return objects(ids.tolist()), codes.astype(np.int32)
    return _code_by_dict(column.tolist(), name)


def _code_by_table(column: NDArray[Any], low: int, high: int) -> tuple[Ids, NDArray[np.int32]]:
    seen = np.zeros(high - low + 1, dtype=bool)
    # a narrow type cannot hold its own range: int8 has no 200 for 100 − (−100)
    shifted = column if low == 0 else (column - column.dtype.type(low)).view(f"u{column.itemsize}")
    seen[shifted] = True
    table = np.cumsum(seen, dtype=np.int32) - 1
    return objects(low + code for code in np.flatnonzero(seen).tolist()), table[shifted]


def _code_by_dict(values: Iterable[Hashable], name: str) -> tuple[Ids, NDArray[np.int32]]:
    index: dict[Hashable, int] = {}
    try:
        codes = np.fromiter((index.setdefault(value, len(index)) for value in values), dtype=np.int32)
    except TypeError as error:
        raise ResponsesError(f"{name} must be hashable scalars: {error}") from error
    missing = [key for key in index if is_missing(key)]
    if missing:
        raise ResponsesError(
            f"{name} has missing values, first at row {int(np.flatnonzero(codes == index[missing[0]])[0])}"
        )
    keys = list(index)
    refuse_look_alikes(keys, name)
    try:
        order = sorted(range(len(keys)), key=keys.__getitem__)  # type: ignore[arg-type]
    except TypeError:  # ids of several kinds have no order: first come, first listed
        return objects(keys), codes
    rank = np.empty(len(keys), dtype=np.int32)
    rank[order] = np.arange(len(keys), dtype=np.int32)
    return objects([keys[k] for k in order]), rank[codes]


def is_missing(value: Any) -> bool:
    """None, NaN, NaT, or the NA of pandas, which has no truth value."""
    try:
        return value is None or bool(value != value)  # noqa: PLR0124  (NaN is what differs from itself)
    except TypeError:
        return True


def ids_or_positions(ids: Sequence[Any] | None, n: int, name: str) -> Ids:
    """Return `ids`, checked to be n different ones, or 0 .. n - 1."""
    if ids is None:
        return objects(range(n))
    names = [value.item() if isinstance(value, np.generic) else value for value in ids]
    if len(names) != n:
        raise ResponsesError(f"{len(names)} ids for {n} {name}")
    missing = [place for place, value in enumerate(names) if is_missing(value)]
    if missing:
        raise ResponsesError(f"ids of {name} are missing, first at position {missing[0]}")
    repeated = [value for value, times in Counter(names).items() if times > 1]
    if repeated:
        raise ResponsesError(f"ids of {name} must be unique; repeated: {repeated[:5]}")
    refuse_look_alikes(names, f"ids of {name}")
    return objects(names)


def refuse_look_alikes(ids: Sequence[object], name: str) -> None:
    """Raise ResponsesError for two ids that differ only in blanks around them, in their form of Unicode, or in type."""
    texts = [one for one in ids if isinstance(one, str)]
    if not texts or (len(texts) == len(ids) and all(one.isascii() and one == one.strip() for one in texts)):
        return  # the usual cases, at a tenth of the time
    seen: dict[str, object] = {}
    for one in ids:
        if not isinstance(one, str | int):
            continue
        other = seen.setdefault(unicodedata.normalize("NFC", str(one).strip()), one)
        if other != one:
            raise ResponsesError(
                f"{name}: {other!a} and {one!a} look alike and are two ids, by blanks around them, by their form of "
                "Unicode, or as a number and its text; write them alike where they are one, else rename one"
            )


def positions_of(ids: Iterable[object], known: Ids, name: str) -> Index:
    """Return where `ids` are among `known`; raises ResponsesError for ids that are not there or that come twice."""
    if isinstance(ids, str):
        raise ResponsesError(f"ids of {name} are a list; write [{ids!r}]")
    where = {one: place for place, one in enumerate(known.tolist())}
    wanted = [value.item() if isinstance(value, np.generic) else value for value in ids]
    unknown = [one for one in wanted if one not in where]
    if unknown:
        raise ResponsesError(
            f"{len(unknown)} ids of {name} are not there, first {unknown[:5]}; known are {_few(where)}"
        )
    if len(set(wanted)) < len(wanted):
        repeated = [one for one, times in Counter(wanted).items() if times > 1]
        raise ResponsesError(f"ids of {name} must be unique; repeated: {repeated[:5]}")
    return np.array([where[one] for one in wanted], dtype=np.intp)


def union_of_ids(first: Ids, second: Ids) -> tuple[Ids, Index]:
    """Return all ids, those of `first` before the others, and where those of `second` are among them."""
    where = {one: place for place, one in enumerate(first.tolist())}
    places = np.array([where.setdefault(one, len(where)) for one in second.tolist()], dtype=np.intp)
    return objects(where), places


def _few(ids: Iterable[object], shown: int = 5) -> str:
    names = list(ids)
    return f"{names[:shown]}{' …' if len(names) > shown else ''}"


def frequencies(counts: ArrayLike, n: int) -> Array:
    """Return how often each of n rows occurs; raises ResponsesError for what is not n numbers above 0."""
    try:
        weights = np.array(counts, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ResponsesError(f"counts must be numbers: {error}") from error
    if weights.shape != (n,):
        raise ResponsesError(f"counts must be one number a row, {n}, not an array of shape {weights.shape}")
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights > 0)))
    if wrong.size:
        raise ResponsesError(f"counts must be above 0; row {wrong[0]} has {weights[wrong[0]]:g}; leave such rows out")
    return weights


def column_names(frame: Any) -> list[str]:
    """Return the names of a table's columns; raises ResponsesError for what is no such table."""
    if hasattr(frame, "collect_schema") and hasattr(frame, "collect"):
        raise ResponsesError("the table is lazy; give .collect() of it")
    if not hasattr(frame, "columns"):
        raise ResponsesError(f"a table of pandas, polars or pyarrow is needed, not {type(frame).__name__}")
    return [str(column) for column in getattr(frame, "column_names", frame.columns)]


def frame_column(frame: Any, name: str) -> NDArray[Any]:
    """Return a column of a pandas, polars or pyarrow table; raises ResponsesError when it is not there."""
    names = column_names(frame)
    if name not in names:
        raise ResponsesError(f"the table has no column {name!r}; it has {names}")
    return plain(frame[name])


def number_column(frame: Any, name: str) -> Array:
    """Return a column of numbers with NaN where one is missing; raises ItemsError for what is no number."""
    column = frame_column(frame, name)
    try:
        return np.array([np.nan if is_missing(value) else value for value in column.tolist()], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ItemsError(f"column {name!r} must hold numbers: {error}") from error


def plain(values: Any) -> NDArray[Any]:
    """Return an array of what any column type holds; missing values stay visible as NaN or None."""
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "to_pylist"):  # Arrow: to_numpy of one array copies nothing unless told that it may
        values = values.to_numpy(zero_copy_only=False)
    elif hasattr(values, "to_numpy"):
        values = values.to_numpy()
    return _from_list(values) if isinstance(values, (list, tuple)) else np.asarray(values)


def _from_list(values: Sequence[Any]) -> NDArray[Any]:
    """Keep mixed lists as objects: numpy would turn [1, 'a'] into strings."""
    try:
        column = np.asarray(values)
    except ValueError:  # rows of different length
        return objects(values)
    if column.dtype.kind in "US" and column.ndim == 1 and not all(isinstance(value, (str, bytes)) for value in values):
        return objects(values)
    return column


def objects(values: Iterable[Any]) -> Ids:
    names = list(values)
    out = np.empty(len(names), dtype=object)
    out[:] = names
    return out


def frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Columns of equal length as a data frame; raises InputError where pandas is not installed."""
    try:
        import pandas as pd  # noqa: PLC0415  (optional, and slow to import)
    except ImportError as error:
        raise InputError("to_frame needs pandas: pip install 'thetaline[frames]'") from error
    return pd.DataFrame(dict(columns))
