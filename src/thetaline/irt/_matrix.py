"""Matrices of responses as callers hold them: arrays, lists of rows, data frames whose labels are ids."""

from __future__ import annotations

from numbers import Number
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import ResponsesError
from thetaline.irt._alignment import aligned, labels_of
from thetaline.irt._coding import RULE, as_categories, column_names, first_fault, is_missing, objects, plain
from thetaline.irt._types import Array, Categories, Ids, Mask


class LabelledMatrix(NamedTuple):
    """Cells (N, I), and the labels of rows and columns where they have some."""

    cells: NDArray[Any]
    rows: list[Any] | None
    columns: list[Any] | None

    @property
    def numbered(self) -> bool:
        """Whether the columns have no names, or only such as a library makes of their positions."""
        n = self.cells.shape[1]
        made = (list(range(n)), [f"column_{k}" for k in range(n)])  # of pandas, of polars
        return self.columns is None or self.columns in made

    def place(self, row: int, column: int) -> str:
        """Where a cell is, in the caller's terms."""
        names = [at if labels is None else labels[at] for labels, at in ((self.rows, row), (self.columns, column))]
        return f"row {names[0]!r}, column {names[1]!r}"


def labelled_matrix(x: Any) -> LabelledMatrix:
    """Take a table of pandas, polars or pyarrow, or anything that NumPy makes a matrix of."""
    if not (hasattr(x, "collect_schema") or hasattr(x, "columns")):
        return LabelledMatrix(plain(x), None, None)
    names = column_names(x)
    if hasattr(x, "to_numpy"):
        return LabelledMatrix(x.to_numpy(), labels_of(x), list(x.columns))
    return LabelledMatrix(np.column_stack([objects(plain(x[name])) for name in names]), None, names)


def observed_cells(matrix: LabelledMatrix) -> tuple[Mask, NDArray[Any]]:
    """Return which cells are observed (N, I) and the numbers in them in row order (M,)."""
    cells = matrix.cells
    if cells.ndim != 2 or not cells.size:
        raise ResponsesError(f"a matrix of responses has the shape (persons, items), not {cells.shape}")
    if cells.dtype.kind == "O":
        cells = _numbers(matrix)
    if cells.dtype.kind not in "biuf":
        raise ResponsesError(f"a matrix of responses holds numbers, not {cells.dtype}")
    observed = ~np.isnan(cells) if cells.dtype.kind == "f" else np.ones(cells.shape, dtype=bool)
    return observed, cells[observed]


def categories_of_cells(matrix: LabelledMatrix, observed: Mask, values: NDArray[Any]) -> Categories:
    """Return the categories of the observed cells (M,)."""
    codes = as_categories(values)
    if codes is None:
        at = first_fault(values)
        row, column = np.argwhere(observed)[at].tolist()
        raise ResponsesError(
            f"{RULE}, or NaN for none; {matrix.place(row, column)} has {values[at]!s}; other codes are declared by "
            "categories=(lowest, highest)"
        )
    return codes


def _numbers(matrix: LabelledMatrix) -> Array:
    """Objects as numbers, what is missing as NaN."""
    out = np.empty(matrix.cells.size)
    for at, value in enumerate(matrix.cells.ravel().tolist()):
        if is_missing(value):
            out[at] = np.nan
        elif isinstance(value, Number | np.bool_) and not isinstance(value, complex):
            out[at] = float(value)  # type: ignore[arg-type]
        else:
            row, column = divmod(at, matrix.cells.shape[1])
            raise ResponsesError(
                f"a matrix of responses holds numbers, but {matrix.place(row, column)} has {value!r}; "
                "leave out columns that are no items"
            )
    return out.reshape(matrix.cells.shape)


def own_names(given: Any, labels: list[Any] | None, what: str) -> Any:
    """The names that a caller gives to rows or columns, by position; a Series of names by the table's rows.

    Raises ResponsesError for the table's own labels in another order, which nobody means by position.
    """
    if labels is None or given is None:
        return labels if given is None else given
    names = aligned(given, objects(labels), what, of="rows").tolist() if labels_of(given) else list(given)
    numbered = labels == list(range(len(labels)))
    if not numbered and names != labels and len(names) == len(labels) and set(names) == set(labels):
        raise ResponsesError(
            f"{what} are the table's own labels in another order, first {names[:3]} for {labels[:3]}; leave {what} "
            "out, or reorder the table"
        )
    return names


def cells_in_order(x: Any, persons: Ids, items: Ids, name: str) -> NDArray[Any]:
    """A matrix (N, I) of other things than responses in the order of persons and items; arrays as they stand."""
    matrix = labelled_matrix(x)
    cells = matrix.cells
    if matrix.rows is not None:
        cells = cells[_positions(matrix.rows, persons, name, "persons")]
    if matrix.columns is not None and not matrix.numbered:
        cells = cells[:, _positions(matrix.columns, items, name, "items")]
    return cells


def _positions(labels: list[Any], ids: Ids, name: str, of: str) -> NDArray[Any]:
    return aligned({label: at for at, label in enumerate(labels)}, ids, name, of=of)
