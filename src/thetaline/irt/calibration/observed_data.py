"""Responses made ready for the E-step: canonical order, equal patterns merged, blocks of a size that caches hold."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array, Index
from thetaline.irt.calibration.blocking import Blocking, Design, PersonBlock
from thetaline.irt.calibration.ordering import item_order, pattern_hashes
from thetaline.irt.responses import Responses

FEW_CELLS = 1 << 17  # so many cost a GEMM less than the import of the sparse product, however few are observed
DENSE_ABOVE = 0.2  # density from which a GEMM over all cells beats a sparse product over the observed ones
FLOAT32_FROM = 1_000_000  # answers; the rounding, 1e-6 of a posterior, is then below the noise
FLOAT32_ANSWERS = 2_000  # answers a person up to which log-likelihoods keep 3 decimals in float32
MERGE_BELOW = 0.8  # equal patterns are merged when this share of rows is left at most


@dataclass(frozen=True, slots=True, eq=False)
class ObservedData:
    """What the E-step reads.  Items are in canonical order; `order` leads back to the caller's."""

    order: Index  # (I,): caller's position of canonical item j
    n_categories: Index  # (I,)
    offsets: Index  # (I + 1,)
    design: Design
    dtype: np.dtype[Any]
    blocks: tuple[tuple[PersonBlock, ...], ...]  # per group
    n_persons: float  # sum of the counts, persons without answers left out
    n_answers: float

    @property
    def n_groups(self) -> int:
        """G."""
        return len(self.blocks)

    def category_counts(self) -> Array:
        """Return the number of answers in each row of a category table, (sum of K,)."""
        total = np.zeros(int(self.offsets[-1]))
        for block in (block for group in self.blocks for block in group):
            weight = block.weight[:, None]
            mass = weight.sum(axis=0, dtype=np.float64)
            total += self.design.counts(block.gather(weight).astype(np.float64), mass)[:, 0]
        return np.round(total, 6)

    def leading(self, share: float) -> "ObservedData":
        """Return about the first `share` of the blocks of every group, at least one each."""
        blocks = tuple(group[: max(1, round(share * len(group)))] for group in self.blocks)
        n = sum(float(block.weight.sum(dtype=np.float64)) for group in blocks for block in group)
        return replace(self, blocks=blocks, n_persons=n, n_answers=self.n_answers * share)


def observed_data(
    responses: Responses,
    counts: Array,
    n_categories: Index,
    group: Index,
    *,
    executor: ThreadPoolExecutor | None = None,
) -> ObservedData:
    """Order, merge and cut the answers; `counts` (I, K), `n_categories` (I,), `group` (N,) in the caller's order."""
    order = item_order(responses, counts)
    rows, weight, groups = _merged_rows(responses, pattern_hashes(responses, order), group)
    per_person = np.diff(responses.indptr)[rows]
    n_answers = int(per_person.sum())
    single = n_answers >= FLOAT32_FROM and int(per_person.max()) <= FLOAT32_ANSWERS
    blocking = Blocking(
        responses=responses,
        order=order,
        offsets=np.concatenate([[0], np.cumsum(n_categories[order])]),
        dtype=np.dtype(np.float32 if single else np.float64),
        complete=bool((per_person == len(order)).all()),
        dense=n_answers >= DENSE_ABOVE * len(rows) * len(order) or len(rows) * len(order) <= FEW_CELLS,
    )
    return ObservedData(
        order=order,
        n_categories=n_categories[order],
        offsets=blocking.offsets,
        design=blocking.design,
        dtype=blocking.dtype,
        blocks=tuple(
            blocking.blocks(rows[groups == g], weight[groups == g], executor) for g in range(int(group.max()) + 1)
        ),
        n_persons=float(weight.sum()),
        n_answers=float(weight @ per_person),
    )


def _merged_rows(responses: Responses, hashes: NDArray[np.uint64], group: Index) -> tuple[Index, Array, Index]:
    """Persons with answers by (group, hash): rows, weights, groups; equal patterns as one row where that pays."""
    rows = np.flatnonzero(np.diff(responses.indptr) > 0)
    rows = rows[np.lexsort((hashes[rows], group[rows])) if group.any() else np.argsort(hashes[rows])]
    new = np.concatenate([[True], (np.diff(hashes[rows]) != 0) | (np.diff(group[rows]) != 0)])
    if new.sum() > MERGE_BELOW * len(rows):
        return rows, responses.counts[rows], group[rows]
    first = np.flatnonzero(new)
    return rows[first], np.add.reduceat(responses.counts[rows], first), group[rows[first]]
