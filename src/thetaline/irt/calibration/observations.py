"""Responses made ready for the E-step: canonical order, equal patterns merged, blocks of a size that caches hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thetaline.irt.calibration.blocks import Block, DenseBlock, DenseDesign, Design, SparseBlock, SparseDesign
from thetaline.irt.calibration.canonical import item_order, pattern_hashes
from thetaline.irt.responses import Responses

Array = NDArray[np.float64]
Index = NDArray[np.intp]

DENSE_ABOVE = 0.2  # density from which a GEMM over all cells beats a sparse product over the observed ones
SINGLE_FROM = (
    1_000_000  # answers from which float32 is used: its rounding (1e-6 of a posterior) is then below the noise
)
SINGLE_ANSWERS = 2_000  # answers a person up to which log-likelihoods keep 3 decimals in float32
BYTES_ABOVE = 1 << 28  # a dense matrix above 256 MB is stored in bytes
MERGE_BELOW = 0.8  # equal patterns are merged when this share of rows is left at most


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """What the E-step reads.  Items are in canonical order; `order` leads back to the caller's."""

    order: Index  # (I,): caller's position of canonical item j
    n_categories: Index  # (I,)
    offsets: Index  # (I + 1,)
    design: Design
    dtype: np.dtype[Any]
    blocks: tuple[tuple[Block, ...], ...]  # per group
    n_persons: float  # sum of the counts, persons without answers left out
    n_answers: float

    @property
    def n_groups(self) -> int:
        """G."""
        return len(self.blocks)

    def leading(self, share: float) -> "Observations":
        """Return about the first `share` of the blocks of every group, at least one each."""
        part = tuple(group[: max(1, round(share * len(group)))] for group in self.blocks)
        n = sum(float(block.weight.sum(dtype=np.float64)) for group in part for block in group)
        return Observations(
            self.order, self.n_categories, self.offsets, self.design, self.dtype, part, n, self.n_answers * share
        )


def observe(responses: Responses, n_categories: Index, group: Index, n_groups: int) -> Observations:
    """Order, merge and cut the answers; `n_categories` (I,) and `group` (N,) are in the caller's order."""
    order = item_order(responses)
    sizes = n_categories[order]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    code_start = np.empty(len(order), dtype=np.int64)
    code_start[order] = offsets[:-1]
    rows, weight, groups = _merged_rows(responses, pattern_hashes(responses, code_start), group)
    per_person = np.diff(responses.indptr)[rows]
    n_answers = int(per_person.sum())
    single = n_answers >= SINGLE_FROM and int(per_person.max()) <= SINGLE_ANSWERS
    cut = _Cut(
        responses=responses,
        order=order,
        offsets=offsets,
        code_start=code_start,
        dtype=np.dtype(np.float32 if single else np.float64),
        complete=bool((per_person == len(order)).all()),
        dense=n_answers >= DENSE_ABOVE * len(rows) * len(order),
    )
    blocks = tuple(tuple(cut.blocks(rows[groups == g], weight[groups == g])) for g in range(n_groups))
    n_persons = float(weight.sum())
    return Observations(order, sizes, offsets, cut.design, cut.dtype, blocks, n_persons, float(weight @ per_person))


def _merged_rows(responses: Responses, hashes: NDArray[np.uint64], group: Index) -> tuple[Index, Array, Index]:
    """Persons with answers by (group, hash): rows, weights, groups; equal patterns as one row where that pays."""
    rows = np.flatnonzero(np.diff(responses.indptr) > 0)
    rows = rows[np.lexsort((hashes[rows], group[rows])) if group.any() else np.argsort(hashes[rows], kind="stable")]
    new = np.concatenate([[True], (np.diff(hashes[rows]) != 0) | (np.diff(group[rows]) != 0)])
    if new.sum() > MERGE_BELOW * len(rows):
        return rows, responses.counts[rows], group[rows]
    first = np.flatnonzero(new)
    return rows[first], np.add.reduceat(responses.counts[rows], first), group[rows[first]]


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """Cuts ordered rows into blocks."""

    responses: Responses
    order: Index
    offsets: Index
    code_start: NDArray[np.int64]
    dtype: np.dtype[Any]
    complete: bool
    dense: bool

    @property
    def design(self) -> Design:
        return DenseDesign(self.offsets, self.complete) if self.dense else SparseDesign()

    def blocks(self, rows: Index, weight: Array) -> Iterator[Block]:
        make = self._dense if self.dense else self._sparse
        size = self._rows_a_block(len(rows))
        for start in range(0, len(rows), size):
            at = slice(start, start + size)
            yield make(rows[at], weight[at].astype(self.dtype))

    def _rows_a_block(self, n_rows: int) -> int:
        """1,024 dense rows keep matrix and posterior in a core's L2; sparse blocks amortise a (sum of K, Q) result."""
        if self.dense:
            return 1024
        per_row = max(1.0, self.responses.n_observations / self.responses.n_persons)
        return int(min(max(4096, 2 * self.offsets[-1] / per_row), max(1, n_rows)))

    def _codes(self, rows: Index) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Codes of these persons' answers, rising within a person, and the row pointers."""
        starts = self.responses.indptr[rows]
        lengths = self.responses.indptr[rows + 1] - starts
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        at = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
        base = np.repeat(np.arange(len(rows)) * self.offsets[-1], lengths)
        key = base + self.code_start[self.responses.item[at]] + self.responses.answer[at]
        key.sort()
        return (key - base).astype(np.int32), indptr

    def _sparse(self, rows: Index, weight: NDArray[Any]) -> SparseBlock:
        codes, indptr = self._codes(rows)
        ones = np.ones(len(codes), dtype=self.dtype)
        shape = (len(rows), int(self.offsets[-1]))
        return SparseBlock(sparse.csr_array((ones, codes, indptr.astype(np.int32)), shape=shape), weight)

    def _dense(self, rows: Index, weight: NDArray[Any]) -> DenseBlock:
        design = DenseDesign(self.offsets, self.complete)
        upper = design.upper
        codes, indptr = self._codes(rows)
        person = np.repeat(np.arange(len(rows)), np.diff(indptr))
        column = np.full(int(self.offsets[-1]), -1)
        column[upper] = np.arange(len(upper))
        n_columns = len(upper) + (0 if self.complete else len(self.order))
        out = np.zeros((len(rows), n_columns), dtype=self._storage(n_columns))
        above = column[codes] >= 0
        out[person[above], column[codes][above]] = 1
        if not self.complete:
            item = np.searchsorted(self.offsets, codes, side="right") - 1
            out[person, len(upper) + item] = 1
        return DenseBlock(out, weight)

    def _storage(self, n_columns: int) -> np.dtype[Any]:
        large = self.responses.n_persons * n_columns * self.dtype.itemsize > BYTES_ABOVE
        return np.dtype(np.uint8) if large else self.dtype
