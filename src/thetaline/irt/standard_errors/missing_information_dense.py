"""What is missing, for dense data: posterior covariance and products of the persons' scores, through BLAS.

A person's score at a node is linear in the indicator columns, so that the sum over persons of its weighted products is,
node by node, one product of the columns with themselves (SYRK), dressed afterwards with the columns' derivatives.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from thetaline.irt._scipy import sparse
from thetaline.irt._types import Array, FloatArray, Index
from thetaline.irt.calibration.blocking import DenseBlock, DenseDesign
from thetaline.irt.calibration.e_step import posteriors
from thetaline.irt.threads import map_in_order

PRODUCT_BYTES = 1 << 28  # products of all nodes that are held at once: 256 MB
NEGLIGIBLE = 1e-15  # share of a person's posterior, below the rounding of its sum
PARTITIONS = 2  # of the blocks; each holds products of its own


@dataclass(frozen=True, slots=True, eq=False)
class DenseScores:
    """Scores of one group by indicator column: columns of the design, then a column of ones."""

    blocks: tuple[DenseBlock, ...]
    design: DenseDesign
    table: FloatArray  # the design's log-probabilities
    prior: FloatArray  # (Q,)
    by_code: Array  # (sum of K, P, Q)
    population: Array  # (P, Q)

    @property
    def width(self) -> int:
        """P."""
        return int(self.by_code.shape[1])

    @property
    def size(self) -> int:
        """L = (I + 1) P."""
        return self.width * (self.design.n_items + 1)

    def posterior_covariance(self, executor: ThreadPoolExecutor | None) -> Array:
        """Return the sum over persons of Cov(s | answers), (L, L)."""
        return self.second_moment(executor) - self.mean_products(executor)

    def second_moment(self, executor: ThreadPoolExecutor | None) -> Array:
        """Return the sum over persons of E(s s' | answers), (L, L)."""
        n_nodes, n_columns = self.prior.size, self.blocks[0].columns.shape[1] + 1
        out = np.zeros((self.size, self.size))
        at_once = max(1, PRODUCT_BYTES // (8 * n_columns**2))
        for start in range(0, n_nodes, at_once):
            nodes = range(start, min(n_nodes, start + at_once))
            products = self._summed(partial(self._column_products, nodes=nodes), executor)
            for q, product in zip(nodes, products, strict=True):
                if product[-1, -1]:
                    derivative = self._by_column(q)
                    out += derivative.T @ (derivative.T @ product).T
        return out

    def mean_products(self, executor: ThreadPoolExecutor | None) -> Array:
        """Return the sum over persons of E(s | answers) E(s | answers)', (L, L)."""
        return self._summed(self._mean_products, executor)

    def mean_products_by_item(self) -> Array:
        """Return the items' own blocks of `mean_products`, (I, P, P)."""
        out = np.zeros((self.design.n_items, self.width, self.width))
        for block in self.blocks:
            mean = self._means(block).reshape(len(block.weight), -1, self.width)[:, :-1]
            own = np.ascontiguousarray(mean.transpose(1, 0, 2), dtype=np.float64)
            out += (own * block.weight[None, :, None]).transpose(0, 2, 1) @ own
        return out

    def _summed(self, sums: Callable[[tuple[DenseBlock, ...]], Array], executor: ThreadPoolExecutor | None) -> Array:
        """Add up the sums over the blocks' partitions."""
        partitions = [self.blocks[k::PARTITIONS] for k in range(min(PARTITIONS, len(self.blocks)))]
        parts = map_in_order(executor, sums, partitions)
        return np.asarray(sum(parts[1:], parts[0]))

    def _column_products(self, blocks: tuple[DenseBlock, ...], nodes: range) -> Array:
        """Columns times posterior weight times columns, per node: (nodes, C + 1, C + 1)."""
        n_columns = blocks[0].columns.shape[1] + 1
        out = np.zeros((len(nodes), n_columns, n_columns))
        for block in blocks:
            posterior, _ = posteriors(block, self.table, self.prior)
            columns = _with_ones(block, posterior.dtype)
            root = np.sqrt(posterior)
            for k, q in enumerate(nodes):
                there = np.flatnonzero(posterior[:, q] > NEGLIGIBLE * block.weight)
                if there.size:
                    weighted = columns[there] * root[there, q, None]
                    out[k] += weighted.T @ weighted
        return out

    def _by_column(self, q: int) -> "sparse.csr_array":
        """Derivatives at node q: (C + 1, L); a person's score is their row of columns times this."""
        n_items, width = self.design.n_items, self.width
        upper, item = self.design.upper, self.design.item_of_upper
        zero = self.by_code[self.design.offsets[:-1], :, q]
        steps = self.by_code[upper, :, q] - zero[item]
        everywhere = np.concatenate(
            [zero.ravel() if self.design.complete else np.zeros(n_items * width), self.population[:, q]]
        )
        own = np.arange(width)
        rows = [np.repeat(np.arange(len(upper)), width)]
        columns, values = [(item[:, None] * width + own).ravel()], [steps.ravel()]
        if not self.design.complete:
            rows.append(np.repeat(len(upper) + np.arange(n_items), width))
            columns.append(np.arange(n_items * width))
            values.append(zero.ravel())
        n_columns = len(upper) + (0 if self.design.complete else n_items) + 1
        rows.append(np.full(everywhere.size, n_columns - 1))
        columns.append(np.arange(everywhere.size))
        values.append(everywhere)
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sparse.coo_array(entries, shape=(n_columns, everywhere.size)).tocsr()

    def _mean_products(self, blocks: tuple[DenseBlock, ...]) -> Array:
        out = np.zeros((self.size, self.size))
        for block in blocks:
            rooted = self._means(block) * np.sqrt(block.weight)[:, None]
            out += rooted.T @ rooted
        return out

    def _means(self, block: DenseBlock) -> FloatArray:
        """E(s | answers), (n, L)."""
        posterior, _ = posteriors(block, self.table, self.prior)
        posterior /= block.weight[:, None]
        upper, item = self.design.upper, self.design.item_of_upper
        zero = self.by_code[self.design.offsets[:-1]].astype(posterior.dtype)  # (I, P, Q)
        out = np.empty((len(posterior), self.design.n_items + 1, self.width), dtype=posterior.dtype)
        out[:, -1] = posterior @ self.population.T.astype(posterior.dtype)
        answered = 1.0 if self.design.complete else block.columns[:, len(upper) :].astype(posterior.dtype)
        chosen = block.columns[:, : len(upper)].astype(posterior.dtype)
        starts = np.searchsorted(item, np.arange(self.design.n_items))
        for p, steps in self._steps(zero, upper, item):
            by_code = chosen * (posterior @ steps.T)
            out[:, :-1, p] = np.add.reduceat(by_code, starts, axis=1) + answered * (posterior @ zero[:, p].T)
        return out.reshape(len(posterior), -1)

    def _steps(self, zero: FloatArray, upper: Index, item: Index) -> Iterator[tuple[int, FloatArray]]:
        """Per parameter, the scores of the categories above 0 less that of category 0, (C, Q)."""
        for p in range(self.width):
            yield p, self.by_code[upper, p].astype(zero.dtype) - zero[item, p]


def _with_ones(block: DenseBlock, dtype: np.dtype) -> FloatArray:
    columns = block.columns
    out = np.ones((len(columns), columns.shape[1] + 1), dtype=dtype)
    out[:, :-1] = columns
    return out
