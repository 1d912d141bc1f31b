"""Turn what callers hold (lists, arrays, Series, Arrow columns) into codes and categories."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import ResponsesError

Ids = NDArray[np.object_]
MAX_CATEGORY = 254  # categories are stored in a byte
SPREAD = 4  # integer ids are looked up in a table when their range is at most this many times the number of answers


def answer_column(values: ArrayLike) -> NDArray[np.uint8]:
    """Return categories as bytes; raises ResponsesError with the first value that is no category."""
    column = np.asarray(_plain(values))
    if column.dtype == np.uint8 and column.ndim == 1:
        return _within(column, column)
    return _within(_numbers(column), column)


def _numbers(column: NDArray[Any]) -> NDArray[Any]:
    if column.ndim != 1:
        raise ResponsesError(f"answers must be one column, not an array of shape {column.shape}")
    if column.dtype.kind in "biuf":
        return column
    bad = next((v for v in column.tolist() if not isinstance(v, (bool, int, float, np.generic))), None)
    if bad is not None or column.dtype.kind != "O":
        raise ResponsesError(f"answers must be 0/1 or categories 0, 1, 2 ..; got {column[0] if bad is None else bad!r}")
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ResponsesError(f"answers must be 0/1 or categories 0, 1, 2 ..; got {_first_none(column)!r}") from error


def _first_none(column: NDArray[Any]) -> object:
    return next((v for v in column.tolist() if v is None), None)


def _within(numbers: NDArray[Any], said: NDArray[Any]) -> NDArray[np.uint8]:
    if numbers.dtype == bool or not numbers.size:
        return numbers.astype(np.uint8)
    if numbers.min() >= 0 and numbers.max() <= MAX_CATEGORY:
        codes = numbers.astype(np.uint8, copy=False)
        if numbers.dtype.kind in "iu" or (codes == numbers).all():
            return codes
    with np.errstate(invalid="ignore"):
        good = (numbers >= 0) & (numbers <= MAX_CATEGORY) & (numbers == np.floor(numbers))
    at = int(np.flatnonzero(~good)[0])
    rule = f"answers must be 0/1 or categories 0, 1, 2 .. {MAX_CATEGORY}"
    raise ResponsesError(f"{rule}; row {at} has {said[at]!s}; leave unanswered rows out")


def code_ids(values: ArrayLike, name: str) -> tuple[Ids, NDArray[np.int32]]:
    """Return distinct ids, sorted where they can be, and every row's code; raises ResponsesError for missing ids."""
    column = np.asarray(_plain(values))
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
        return _objects(ids.tolist()), codes.astype(np.int32)
    return _code_by_dict(column.tolist(), name)


def _code_by_table(column: NDArray[Any], low: int, high: int) -> tuple[Ids, NDArray[np.int32]]:
    seen = np.zeros(high - low + 1, dtype=bool)
    shifted = column if low == 0 else column - low
    seen[shifted] = True
    table = np.cumsum(seen, dtype=np.int32) - 1
    return _objects((np.flatnonzero(seen) + low).tolist()), table[shifted]


def _code_by_dict(values: Iterable[Hashable], name: str) -> tuple[Ids, NDArray[np.int32]]:
    index: dict[Hashable, int] = {}
    try:
        codes = np.fromiter((index.setdefault(value, len(index)) for value in values), dtype=np.int32)
    except TypeError as error:
        raise ResponsesError(f"{name} must be hashable scalars: {error}") from error
    missing = [key for key in index if key is None or key != key]  # noqa: PLR0124  (NaN is what differs from itself)
    if missing:
        raise ResponsesError(
            f"{name} has missing values, first at row {int(np.flatnonzero(codes == index[missing[0]])[0])}"
        )
    keys = list(index)
    try:
        order = sorted(range(len(keys)), key=keys.__getitem__)  # type: ignore[arg-type]
    except TypeError:  # ids of several kinds have no order: first come, first listed
        return _objects(keys), codes
    rank = np.empty(len(keys), dtype=np.int32)
    rank[order] = np.arange(len(keys), dtype=np.int32)
    return _objects([keys[k] for k in order]), rank[codes]


def categories_of_matrix(x: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Return which cells are observed (N, I) and their categories in row order (M,)."""
    matrix = np.asarray(_plain(x))
    if matrix.ndim != 2 or not matrix.size:
        raise ResponsesError(f"a matrix of responses has the shape (persons, items), not {matrix.shape}")
    if matrix.dtype.kind == "O":
        matrix = _object_matrix(matrix)
    if matrix.dtype.kind not in "biuf":
        raise ResponsesError(f"a matrix of responses holds numbers, not {matrix.dtype}")
    observed = ~np.isnan(matrix) if matrix.dtype.kind == "f" else np.ones(matrix.shape, dtype=bool)
    if not observed.any():
        raise ResponsesError("there are no answers")
    return observed, answer_column(matrix[observed])


def _object_matrix(matrix: NDArray[Any]) -> NDArray[np.float64]:
    try:
        return matrix.astype(np.float64)  # None becomes NaN
    except (TypeError, ValueError) as error:
        raise ResponsesError(f"a matrix of responses holds numbers: {error}") from error


def ids_or_positions(ids: Sequence[Any] | None, n: int, name: str) -> Ids:
    """Return `ids`, checked to be n different ones, or 0 .. n - 1."""
    if ids is None:
        return _objects(range(n))
    names = [value.item() if isinstance(value, np.generic) else value for value in ids]
    if len(names) != n:
        raise ResponsesError(f"{len(names)} ids for {n} {name}")
    if len(set(names)) < n:
        raise ResponsesError(f"ids of {name} must be unique")
    return _objects(names)


def frame_column(frame: Any, name: str) -> NDArray[Any]:
    """Return a column of a pandas, polars or pyarrow table; raises ResponsesError when it is not there."""
    names = [str(column) for column in getattr(frame, "column_names", getattr(frame, "columns", []))]
    if name not in names:
        raise ResponsesError(f"the table has no column {name!r}; it has {names}")
    return _plain(frame[name])


def _plain(values: Any) -> NDArray[Any]:
    """Return an array of what any column type holds; missing values stay visible as NaN or None."""
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy())
    return np.asarray(values) if not isinstance(values, (list, tuple)) else _from_list(values)


def _from_list(values: Sequence[Any]) -> NDArray[Any]:
    """Keep mixed lists as objects: numpy would turn [1, 'a'] into strings."""
    column = np.asarray(values)
    if column.dtype.kind in "US" and column.ndim == 1 and not all(isinstance(value, (str, bytes)) for value in values):
        return _objects(values)
    return column


def _objects(values: Iterable[Any]) -> Ids:
    names = list(values)
    out = np.empty(len(names), dtype=object)
    out[:] = names
    return out
