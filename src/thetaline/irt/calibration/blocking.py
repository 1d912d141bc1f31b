"""Cut ordered persons into blocks of a size that caches hold, dense or sparse."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thetaline.irt._types import Array, Categories, Index
from thetaline.irt.calibration.blocks import Block, DenseBlock, DenseDesign, Design, SparseBlock, SparseDesign
from thetaline.irt.responses import Responses

DENSE_ROWS = 1024  # matrix and posterior of a block stay in a core's L2
SPARSE_ROWS = 16_384  # posteriors of a block stay in L3, and the (sum of K, Q) result is cleared seldom
BYTES_ABOVE = 1 << 28  # a dense matrix above 256 MB is stored in bytes
MISSING = 255


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
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

    def blocks(self, rows: Index, weight: Array, executor: ThreadPoolExecutor | None) -> tuple[Block, ...]:
        """Return the blocks of these rows, in their order."""
        size = DENSE_ROWS if self.dense else self._sparse_rows()
        pieces = [slice(start, start + size) for start in range(0, len(rows), size)]
        make = self._dense_maker() if self.dense else self._sparse_maker()
        run = executor.map if executor is not None else map
        return tuple(run(lambda at: make(rows[at], weight[at].astype(self.dtype)), pieces))

    def _sparse_rows(self) -> int:
        """At least as many answers in a block as the result has rows."""
        a_person = max(1.0, self.responses.n_observations / self.responses.n_persons)
        return int(max(SPARSE_ROWS, 2 * self.offsets[-1] / a_person))

    def _sparse_maker(self) -> "partial[Block]":
        code_start = np.empty(len(self.order), dtype=np.int32)
        code_start[self.order] = self.offsets[:-1]
        return partial(self._sparse, code_start)

    def _sparse(self, code_start: NDArray[np.int32], rows: Index, weight: NDArray[Any]) -> Block:
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

    def _dense_maker(self) -> "partial[Block]":
        design = DenseDesign(self.offsets, self.complete)
        category = design.upper - self.offsets[design.item_of_upper]
        return partial(self._dense, self.order[design.item_of_upper], category.astype(np.uint8))

    def _dense(self, item: Index, category: Categories, rows: Index, weight: NDArray[Any]) -> Block:
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
