"""The item bank as one frozen value: a struct of arrays, so that every step is vectorised over items."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import InputError, ItemsError
from thetaline.irt._alignment import aligned, rows_beside
from thetaline.irt._coding import column_names, frame, frame_column, number_column
from thetaline.irt._item_checks import check_items, code_column, model_column, parameter_column, threshold_column
from thetaline.irt._types import Array, Ids, Index, Ints, Labelled
from thetaline.irt.families import FAMILIES, Published
from thetaline.irt.item_batches import ItemBatch

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Published parameters on the logistic metric, D = 1: P = c + (d - c) / (1 + exp(-a (theta - b))).

    `model` is one name, an array of names, or {id: name}; `b` is (I,), or (I, K - 1) padded with NaN when an item has
    thresholds; `c` and `d` are NaN where the model has none.  `a` may be left out for Rasch and PCM, where it is 1.
    A parameter as a Series or a mapping goes by id (a column of the table that has `ids`: row by row), an
    array by the order of `ids`.  Raises ItemsError, naming the items, for repeated ids, shapes that differ, values that
    are not finite, c >= d; InputError for parameters that do not cover the ids.  `lowest` is the code of an item's
    lowest category as people give it: 1 where a scale runs 1 … K.
    """

    ids: Ids
    model: NDArray[np.str_]
    a: Array
    b: Array
    c: Array
    d: Array
    lowest: Ints  # (I,) code of the lowest category
    by_position: bool  # the ids are only positions in a matrix whose columns had no names

    def __init__(
        self,
        *,
        ids: Iterable[object],
        model: str | Sequence[str] | NDArray[Any] | Mapping[Any, str] = "2PL",
        a: Labelled | None = None,
        b: Labelled,
        c: Labelled | None = None,
        d: Labelled | None = None,
        lowest: Labelled = 0,
    ) -> None:
        """Check and freeze the columns."""
        names = _id_column(ids)
        rows = rows_beside(ids, len(names))

        def own(letter: str, value: Labelled | None, default: float) -> Any:
            return default if value is None else aligned(value, names, letter, of="items", rows=rows)

        self._set(ids=names, model=model_column(model, names), b=threshold_column(own("b", b, 0.0), names))
        for letter, value, default in (("a", a, 1.0), ("c", c, np.nan), ("d", d, np.nan)):
            self._set(**{letter: parameter_column(letter, own(letter, value, default), names)})
        self._set(lowest=code_column(own("lowest", lowest, 0.0), names))
        object.__setattr__(self, "by_position", False)
        self._check(a_given=a is not None)

    def _set(self, **columns: NDArray[Any]) -> None:
        for name, column in columns.items():
            column.setflags(write=False)
            object.__setattr__(self, name, column)

    def _check(self, *, a_given: bool) -> None:
        self._set(**check_items(self.ids, self.model, {"a": self.a, "b": self.b, "c": self.c, "d": self.d}))
        needs_a = sorted({str(m) for m in self.model if not FAMILIES[str(m)].unit})
        if not a_given and needs_a:
            raise ItemsError(f"{', '.join(needs_a)} items need a; only Rasch and PCM have a = 1")
        for batch in self.batches():
            bad = ~batch.family.valid(batch.free)
            if bad.any():
                raise ItemsError(f"thresholds of items {list(self.ids[batch.index[bad]][:5])} are out of order")

    def __len__(self) -> int:
        """I."""
        return len(self.ids)

    @classmethod
    def from_frame(cls, frame: Any) -> Self:
        """Take a pandas, polars or pyarrow table with one row an item, as `to_frame` makes it.

        Columns: item_id, b (or b1, b2, ..), and where they are there model (else 2PL), a, c, d; a missing value is no
        parameter.  Raises ItemsError for a column that is not there, and as `Items` does.
        """
        names = column_names(frame)
        if "item_id" not in names or not {"b", "b1"} & set(names):
            raise ItemsError(f"the table needs the columns item_id and b (or b1, b2, ..); it has {names}")
        steps = (
            ["b"] if "b" in names else sorted((n for n in names if re.fullmatch(r"b\d+", n)), key=lambda n: int(n[1:]))
        )
        b = np.column_stack([number_column(frame, name) for name in steps])
        rest = {name: number_column(frame, name) for name in ("a", "c", "d", "lowest") if name in names}
        model = frame_column(frame, "model").tolist() if "model" in names else "2PL"
        return cls(ids=frame_column(frame, "item_id").tolist(), model=model, b=b, **rest)

    def __getitem__(self, ids: object) -> Self:
        """Return the items with these ids, a list of them or one, in this order; raises ItemsError for unknown ids."""
        return self.take(ids if isinstance(ids, (list, np.ndarray)) else [ids])

    def __repr__(self) -> str:
        """How many items of which models."""
        return f"{type(self).__name__}({len(self)}: {', '.join(sorted({str(m) for m in self.model}))})"

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.ids)

    @property
    def n_categories(self) -> Index:
        """K an item, shape (I,)."""
        if self.b.ndim == 1:
            return np.full(len(self), 2)
        return np.asarray(np.isfinite(self.b).sum(axis=1) + 1)

    @property
    def thresholds(self) -> Array:
        """`b` as (I, K - 1) also when all items are dichotomous."""
        return self.b[:, None] if self.b.ndim == 1 else self.b

    @property
    def offsets(self) -> Index:
        """Row of a category table where each item starts, shape (I + 1,)."""
        return np.concatenate([[0], np.cumsum(self.n_categories)])

    @property
    def row_scores(self) -> Array:
        """The score 0 … K − 1 that a row of a category table stands for, (sum of K,)."""
        first = self.offsets
        return np.asarray(np.arange(first[-1]) - np.repeat(first[:-1], self.n_categories), dtype=np.float64)

    def batches(self) -> Iterator[ItemBatch]:
        """Walk over the items by (family, number of categories)."""
        counts = self.n_categories
        for model, k in sorted({(str(m), int(k)) for m, k in zip(self.model, counts, strict=True)}):
            yield self.batch(np.flatnonzero((self.model == model) & (counts == k)))

    def batch(self, index: Index) -> ItemBatch:
        """Return the items at these positions, which share a family and a number of categories."""
        family, k = FAMILIES[str(self.model[index[0]])], int(self.n_categories[index[0]])
        published = Published(self.a[index], self.thresholds[index, : k - 1], self.c[index], self.d[index])
        return ItemBatch.of(family, k, index, family.from_published(published))

    def log_prob(self, theta: ArrayLike) -> Array:
        """Return log P(X = k | theta), shape (sum of K, Q); rows by item, category 0..K-1 within it."""
        nodes = np.atleast_1d(np.asarray(theta, dtype=np.float64))
        out = np.empty((self.offsets[-1], nodes.size))
        for batch in self.batches():
            out[batch.codes(self.offsets)] = batch.log_prob(nodes)
        return out

    def expected_score(self, theta: ArrayLike) -> Array:
        """Return E(X | theta), shape (I, Q)."""
        nodes = np.atleast_1d(np.asarray(theta, dtype=np.float64))
        out = np.empty((len(self), nodes.size))
        for batch in self.batches():
            score = np.arange(batch.n_categories, dtype=np.float64)
            out[batch.index] = np.tensordot(np.exp(batch.log_prob(nodes)), score, axes=(1, 0))
        return out

    def information(self, theta: ArrayLike) -> Array:
        """Return the Fisher information of each item about theta, shape (I, Q): the sum over k of P_k (d log P_k)^2."""
        nodes = np.atleast_1d(np.asarray(theta, dtype=np.float64))
        out = np.empty((len(self), nodes.size))
        for batch in self.batches():
            out[batch.index] = batch.at_nodes(nodes).information
        return out

    def take(self, ids: Iterable[object]) -> Self:
        """Return the items with these ids in this order; raises ItemsError for ids that are not in the bank."""
        at = self.positions(ids)
        columns = {name: getattr(self, name)[at] for name in ("ids", "model", "a", "c", "d", "lowest")}
        b = self.b[at]
        return self.replaced(**columns, b=b)

    def positions(self, ids: Iterable[object]) -> Index:
        """Return where these ids are in the bank; raises ItemsError for ids that are not in it."""
        where = {name: position for position, name in enumerate(self.ids.tolist())}
        wanted = list(ids)
        unknown = [name for name in wanted if name not in where]
        if unknown:
            some = f"{len(unknown)} ids are not in the bank, first {unknown[:5]}"
            raise ItemsError(f"{some}; the bank has {list(where)[:5]}{' …' if len(where) > 5 else ''}")
        return np.array([where[name] for name in wanted], dtype=np.intp)

    def numbered(self) -> Self:
        """The same items, known to have positions for ids."""
        out = self.replaced()
        object.__setattr__(out, "by_position", True)
        return out

    def rescaled(self, A: float, B: float) -> Self:
        """Return the items on the scale theta' = A theta + B: a / A, A b + B, c and d as they are."""
        check_scale(A, B)
        return self.replaced(a=self.a / A, b=A * self.b + B)

    def replaced(self, **columns: NDArray[Any]) -> Self:
        """Return a copy with other columns, frozen and unchecked: they come from checked ones."""
        out = object.__new__(type(self))
        for column in columns.values():
            column.setflags(write=False)
        for name in self.__dataclass_fields__:
            object.__setattr__(out, name, columns.get(name, getattr(self, name)))
        return out

    def to_frame(self) -> pd.DataFrame:
        """Return one row an item: item_id, model, a, b (or b1, b2, ..), c, d, and `lowest` where a code is not 0.

        Needs pandas (`thetaline[frames]`).
        """
        b = {"b": self.b} if self.b.ndim == 1 else {f"b{k + 1}": self.b[:, k] for k in range(self.b.shape[1])}
        codes = {"lowest": self.lowest} if self.lowest.any() else {}
        return frame({"item_id": self.ids, "model": self.model, "a": self.a, **b, "c": self.c, "d": self.d, **codes})


def check_scale(A: float, B: float) -> None:
    """Raise InputError for constants that are no change of scale."""
    if not (np.isfinite(A) and np.isfinite(B) and A > 0):
        raise InputError(f"a scale needs finite A > 0 and finite B, not A = {A}, B = {B}")


def refuse_positions(first: str, second: str, advice: str) -> None:
    """Raise ItemsError: the ids of both are only positions, by which anything matches anything."""
    raise ItemsError(
        f"the items of {first} and {second} have no names, only their positions in two matrices, which do not say what "
        f"is the same item; name them: {advice}"
    )


def _id_column(ids: Iterable[object]) -> Ids:
    """Ids as Python scalars in an object array, so that 7 and np.int64(7) are the same id."""
    names = [name.item() if isinstance(name, np.generic) else name for name in ids]
    out = np.empty(len(names), dtype=object)
    out[:] = names
    return out
