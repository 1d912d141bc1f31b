"""What is missing, for sparse data: each person's own answers against each other, in batches.

The posterior covariance of m answers' scores is a small Gram matrix; its blocks are added up by pair of items.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from thetaline.irt._types import Array, FloatArray, Index
from thetaline.irt.calibration.blocking import SparseBlock
from thetaline.irt.calibration.e_step import posteriors
from thetaline.irt.threads import map_in_order

BATCH_BYTES = 1 << 22  # scores of a batch: 4 MB, within reach of a core's cache
FLUSH_PAIRS = 1 << 20  # pairs of items that are collected before they are added
PARTITIONS = 2  # of the blocks; each holds sums of its own


@dataclass(frozen=True, slots=True, eq=False)
class SparseScores:
    """Scores of one group by code; the population is one more item, which everybody answered."""

    blocks: tuple[SparseBlock, ...]
    table: FloatArray  # (sum of K, Q)
    prior: FloatArray  # (Q,)
    by_code: FloatArray  # (sum of K + 1, P, Q): the population's in the last row
    item_of_code: Index  # (sum of K + 1,)

    @property
    def n_items(self) -> int:
        """Items and the population."""
        return int(self.item_of_code[-1]) + 1

    @property
    def width(self) -> int:
        """P."""
        return int(self.by_code.shape[1])

    def posterior_covariance(self, executor: ThreadPoolExecutor | None) -> Array:
        """Return the sum over persons of Cov(s | answers), (L, L)."""
        return self._summed(executor, means=False)

    def mean_products(self, executor: ThreadPoolExecutor | None) -> Array:
        """Return the sum over persons of E(s | answers) E(s | answers)', (L, L)."""
        return self._summed(executor, means=True)

    def mean_products_by_item(self) -> Array:
        """Return the items' own blocks of `mean_products`, (I, P, P)."""
        n_items = self.n_items - 1
        out = np.zeros((n_items, self.width**2))
        for block in self.blocks:
            for codes, weights in self._batches(block):
                frequency = weights.sum(axis=1)
                mean = _means(self.by_code[codes[:, :-1]], weights / frequency[:, None])
                products = mean[:, :, :, None] * mean[:, :, None, :] * frequency[:, None, None, None]
                item = self.item_of_code[codes[:, :-1]].ravel()
                flat = products.reshape(item.size, -1)
                for k in range(flat.shape[1]):
                    out[:, k] += np.bincount(item, flat[:, k], minlength=n_items)
        return out.reshape(n_items, self.width, self.width)

    def _summed(self, executor: ThreadPoolExecutor | None, *, means: bool) -> Array:
        partitions = [self.blocks[k::PARTITIONS] for k in range(min(PARTITIONS, len(self.blocks)))]
        parts = map_in_order(executor, partial(self._pair_sums, means=means), partitions)
        total = np.asarray(sum(parts[1:], parts[0]))
        n, width = self.n_items, self.width
        upper = total.reshape(width, width, n, n).transpose(2, 0, 3, 1).reshape(n * width, n * width)
        diagonal = np.kron(np.eye(n, dtype=bool), np.ones((width, width), dtype=bool))
        return np.asarray(upper + np.where(diagonal, 0.0, upper.T))

    def _pair_sums(self, blocks: tuple[SparseBlock, ...], *, means: bool) -> Array:
        """Sums by pair of items, (P P, n n)."""
        sums = _PairSums.empty(self.n_items, self.width)
        for block in blocks:
            for codes, weights in self._batches(block):
                root = _root(self.by_code[codes], weights, means=means)
                sums.add(root @ root.transpose(0, 2, 1), self.item_of_code[codes])
        sums.flush()
        return sums.total

    def _batches(self, block: SparseBlock) -> Iterator[tuple[Index, FloatArray]]:
        """Persons with equally many answers: codes (n, m + 1), the population's last; posteriors times frequency."""
        posterior, _ = posteriors(block, self.table, self.prior)
        indptr, indices = block.one_hot.indptr, block.one_hot.indices
        lengths = np.diff(indptr)
        for m in np.unique(lengths):
            rows = np.flatnonzero(lengths == m)
            size = max(1, int(BATCH_BYTES // (self.by_code[0].nbytes * (m + 1))))
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                own = indices[indptr[some][:, None] + np.arange(m)]
                population = np.full((len(some), 1), len(self.item_of_code) - 1)
                yield np.concatenate([own, population], axis=1), posterior[some]


def _means(score: FloatArray, weights: FloatArray) -> FloatArray:
    """E(s) of every answer, (n, m, P), from `score` (n, m, P, Q) and posteriors (n, Q)."""
    n, m, width, _ = score.shape
    return np.asarray((score.reshape(n, m * width, -1) @ weights[:, :, None]).reshape(n, m, width))


def _root(score: FloatArray, weights: FloatArray, *, means: bool) -> FloatArray:
    """A factor F (n, m P, ·) of the wanted products F F'; `score` (n, m, P, Q), `weights` (n, Q)."""
    n = len(score)
    flat = score.reshape(n, -1, score.shape[-1])
    frequency = weights.sum(axis=1)[:, None, None]
    mean = (flat @ weights[:, :, None]) / frequency
    if means:
        return np.asarray(mean * np.sqrt(frequency))
    flat -= mean
    flat *= np.sqrt(weights)[:, None, :]
    return flat


@dataclass(frozen=True, slots=True, eq=False)
class _PairSums:
    """Adds blocks (r, c), r <= c, of persons' Gram matrices by pair of items; many at once, for each time costs n n."""

    total: Array  # (P P, n n)
    n_items: int
    width: int
    pairs: list[Index]
    values: list[FloatArray]

    @classmethod
    def empty(cls, n_items: int, width: int) -> "_PairSums":
        return cls(np.zeros((width * width, n_items * n_items)), n_items, width, [], [])

    def add(self, gram: FloatArray, item: Index) -> None:
        """Take `gram` (n, m P, m P) of persons with the items `item` (n, m)."""
        n, m = item.shape
        first, second = np.triu_indices(m)
        self.pairs.append((item[:, first] * self.n_items + item[:, second]).ravel())
        blocks = gram.reshape(n, m, self.width, m, self.width)[:, first, :, second]  # (pairs, n, P, P)
        self.values.append(blocks.transpose(2, 3, 1, 0).reshape(self.width**2, -1))
        if sum(map(len, self.pairs)) >= max(FLUSH_PAIRS, self.n_items**2):
            self.flush()

    def flush(self) -> None:
        """Add what was taken to the total."""
        if not self.pairs:
            return
        pair = np.concatenate(self.pairs)
        for k in range(self.width**2):
            values = np.concatenate([rows[k] for rows in self.values])
            self.total[k] += np.bincount(pair, values, minlength=self.total.shape[1])
        self.pairs.clear()
        self.values.clear()
