"""Blocks of persons: their answers cut to a size that caches hold, and the two products of the E-step on them.

Dense blocks go through BLAS, sparse ones through SciPy.  A design knows how answers meet the table of log-probabilities
(one row a category of an item, one column a node).  Dense columns are the categories above 0, against the difference to
category 0, and, where cells are missing, whether the item was answered; so complete dichotomous data need one product
with an (I, Q) table.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._scipy import sparse
from thetaline.irt._types import Array, Categories, FloatArray, Index
from thetaline.irt.responses import Responses
from thetaline.irt.threads import map_in_order

DENSE_ROWS = 1024  # matrix and posterior of a block stay in a core's L2
SPARSE_ROWS = 16_384  # posteriors of a block stay in L3, and the (sum of K, Q) result is cleared seldom
BYTES_ABOVE = 1 << 28  # a dense matrix above 256 MB is stored in bytes
MISSING = 255


class PersonBlock(Protocol):
    """Some persons' answers and how often each pattern occurs."""

    @property
    def weight(self) -> FloatArray:
        """Frequency of each pattern, (n,)."""

    def log_likelihood(self, table: FloatArray) -> FloatArray:
        """Return log P(answers | node), shape (n, Q); `table` is the design's."""

    def gather(self, posterior: FloatArray) -> FloatArray:
        """Return the sums of posterior rows by table row."""


class Design(Protocol):
    """How category tables are arranged for the blocks' products, and back."""

    def table(self, log_prob: Array, dtype: np.dtype[Any]) -> FloatArray:
        """Arrange a category table (sum of K, Q) for `PersonBlock.log_likelihood`."""

    def counts(self, gathered: Array, mass: Array) -> Array:
        """Return expected counts (sum of K, Q) from what the blocks gathered; `mass` (Q,) is the sum of posteriors."""


@dataclass(frozen=True, slots=True)
class SparseBlock:
    """One-hot rows in CSR form."""

    one_hot: "sparse.csr_array"  # (n, sum of K)
    weight: FloatArray

    def log_likelihood(self, table: FloatArray) -> FloatArray:
        """Sum the table rows of each person's answers."""
        return np.asarray(self.one_hot @ table)

    def gather(self, posterior: FloatArray) -> FloatArray:
        """Add each person's posterior to the rows of their answers."""
        return np.asarray(self.one_hot.T @ posterior)


@dataclass(frozen=True, slots=True)
class SparseDesign:
    """The table as it is."""

    def table(self, log_prob: Array, dtype: np.dtype[Any]) -> FloatArray:
        """Only the precision changes."""
        return log_prob.astype(dtype, copy=False)

    def counts(self, gathered: Array, mass: Array) -> Array:  # noqa: ARG002  (the contract's signature)
        """Already by category."""
        return gathered


@dataclass(frozen=True, slots=True)
class DenseBlock:
    """Indicator columns; stored in bytes when the whole matrix would be large, and widened block by block."""

    columns: NDArray[Any]  # (n, C)
    weight: FloatArray

    def log_likelihood(self, table: FloatArray) -> FloatArray:
        """One GEMM, and the log-probability of answering 0 everywhere where that is common to all (last row)."""
        wide = self.columns.astype(table.dtype, copy=False)
        out = wide @ table[: wide.shape[1]]
        if len(table) > wide.shape[1]:
            out += table[-1]
        return np.asarray(out)

    def gather(self, posterior: FloatArray) -> FloatArray:
        """One GEMM with the transpose."""
        return np.asarray(self.columns.astype(posterior.dtype, copy=False).T @ posterior)


@dataclass(frozen=True, slots=True)
class DenseDesign:
    """Columns: the categories above 0 in code order, then (where cells are missing) one `answered` column an item."""

    offsets: Index  # (I + 1,) into the category table
    complete: bool

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.offsets) - 1

    @property
    def upper(self) -> Index:
        """Codes of the categories above 0."""
        return np.setdiff1d(np.arange(self.offsets[-1]), self.offsets[:-1])

    @property
    def item_of_upper(self) -> Index:
        """Item of each code in `upper`."""
        return np.searchsorted(self.offsets, self.upper, side="right") - 1

    def table(self, log_prob: Array, dtype: np.dtype[Any]) -> FloatArray:
        """Differences to category 0, then category 0 itself (summed over items when no cell is missing)."""
        zero = log_prob[self.offsets[:-1]]
        steps = log_prob[self.upper] - zero[self.item_of_upper]
        return np.concatenate([steps, zero.sum(axis=0, keepdims=True) if self.complete else zero]).astype(dtype)

    def counts(self, gathered: Array, mass: Array) -> Array:
        """Category 0 is what remains of those who answered."""
        upper, item = self.upper, self.item_of_upper
        out = np.empty((int(self.offsets[-1]), gathered.shape[1]))
        out[upper] = gathered[: len(upper)]
        answered = np.broadcast_to(mass, (self.n_items, mass.size)) if self.complete else gathered[len(upper) :]
        above = np.zeros((self.n_items, mass.size))
        np.add.at(above, item, out[upper])
        out[self.offsets[:-1]] = np.maximum(answered - above, 0.0)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Blocking:
    """How rows of responses become blocks; items in the order given."""

    responses: Responses
    order: Index
    offsets: Index  # (I + 1,), of the ordered items
    dtype: np.dtype[Any]
    complete: bool
    dense: bool

    @property
    def design(self) -> Design:
        """The design that the blocks are cut for."""
        return DenseDesign(self.offsets, self.complete) if self.dense else SparseDesign()

    def blocks(self, rows: Index, weight: Array, executor: ThreadPoolExecutor | None) -> tuple[PersonBlock, ...]:
        """Return the blocks of these rows, in their order."""
        size = DENSE_ROWS if self.dense else self._sparse_rows()
        pieces = [slice(start, start + size) for start in range(0, len(rows), size)]
        make = self._dense_maker() if self.dense else self._sparse_maker()
        return tuple(map_in_order(executor, lambda at: make(rows[at], weight[at].astype(self.dtype)), pieces))

    def _sparse_rows(self) -> int:
        """At least as many answers in a block as the result has rows."""
        a_person = max(1.0, self.responses.n_observations / self.responses.n_persons)
        return int(max(SPARSE_ROWS, 2 * self.offsets[-1] / a_person))

    def _sparse_maker(self) -> "partial[PersonBlock]":
        code_start = np.empty(len(self.order), dtype=np.int32)
        code_start[self.order] = self.offsets[:-1]
        return partial(self._sparse, code_start)

    def _sparse(self, code_start: NDArray[np.int32], rows: Index, weight: NDArray[Any]) -> PersonBlock:
        at, indptr = self._answers_of(rows)
        lengths = np.diff(indptr)
        wide = np.uint32 if len(rows) * int(self.offsets[-1]) < 2**32 else np.uint64
        base = np.repeat(np.arange(len(rows)).astype(wide) * self.offsets[-1].astype(wide), lengths)
        key = base + code_start[self.responses.item[at]].astype(wide)
        key += self.responses.answer[at]
        key.sort()  # by person, and by code within a person
        key -= base
        ones = np.ones(len(key), dtype=self.dtype)
        one_hot = sparse.csr_array(
            (ones, key.astype(np.int32), indptr.astype(np.int32)), shape=(len(rows), int(self.offsets[-1]))
        )
        return SparseBlock(one_hot, weight)

    def _answers_of(self, rows: Index) -> tuple[Index, Index]:
        """Where the answers of these persons are, and their row pointers."""
        starts = self.responses.indptr[rows]
        lengths = self.responses.indptr[rows + 1] - starts
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        return np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths), indptr

    def _dense_maker(self) -> "partial[PersonBlock]":
        design = DenseDesign(self.offsets, self.complete)
        category = design.upper - self.offsets[design.item_of_upper]
        return partial(self._dense, self.order[design.item_of_upper], category.astype(np.uint8))

    def _dense(self, item: Index, category: Categories, rows: Index, weight: NDArray[Any]) -> PersonBlock:
        """Columns: was the caller's item `item[c]` answered with `category[c]`; then, was it answered at all."""
        cells = self._cells(rows)
        columns = np.equal(cells[:, item], category)
        if not self.complete:
            columns = np.concatenate([columns, cells[:, self.order] != MISSING], axis=1)
        large = self.responses.n_persons * columns.shape[1] * self.dtype.itemsize > BYTES_ABOVE
        return DenseBlock(columns.astype(np.uint8 if large else self.dtype), weight)

    def _cells(self, rows: Index) -> Categories:
        """Answers (n, I) with 255 where there is none, items in the caller's order."""
        n_items = len(self.order)
        if self.complete and self.responses.n_observations == self.responses.n_persons * n_items:
            return self.responses.answer.reshape(-1, n_items)[rows]
        at, indptr = self._answers_of(rows)
        out = np.full((len(rows), n_items), MISSING, dtype=np.uint8)
        person = np.repeat(np.arange(len(rows)), np.diff(indptr))
        out[person, self.responses.item[at]] = self.responses.answer[at]
        return out
