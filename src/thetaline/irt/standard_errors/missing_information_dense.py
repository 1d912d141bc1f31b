"""What is missing, for dense data: posterior covariance and products of the persons' scores, through BLAS.

A person's score at a node is linear in the indicator columns, so that the sum over persons of its weighted products is,
node by node, one product of the columns with themselves (SYRK), dressed afterwards with the columns' derivatives.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse

from thetaline.irt._types import Array, FloatArray, Index
from thetaline.irt.calibration.blocking import DenseBlock, DenseDesign
from thetaline.irt.calibration.e_step import posteriors

PRODUCT_BYTES = 1 << 28  # products of all nodes that are held at once: 256 MB


@dataclass(frozen=True, slots=True, eq=False)
class DenseScores:
    """Scores of one group by indicator column: columns of the design, then a column of ones."""

    design: DenseDesign
    table: FloatArray  # the design's log-probabilities
    prior: FloatArray  # (Q,)
    codes: Array  # (sum of K, P, Q): derivatives by code
    population: Array  # (P, Q)

    def by_column(self, q: int) -> "sparse.csr_array":
        """Derivatives at node q: (C + 1, (I + 1) P); a person's score is their row of columns times this."""
        n_items, width = self.design.n_items, self.codes.shape[1]
        upper, item = self.design.upper, self.design.item_of_upper
        zero = self.codes[self.design.offsets[:-1], :, q]
        steps = self.codes[upper, :, q] - zero[item]
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


def second_moment(blocks: tuple[DenseBlock, ...], scores: DenseScores, executor: ThreadPoolExecutor | None) -> Array:
    """Return the sum over persons of E(s s' | answers), ((I + 1) P,) squared."""
    n_nodes = scores.prior.size
    n_columns = blocks[0].columns.shape[1] + 1
    size = scores.codes.shape[1] * (scores.design.n_items + 1)
    out = np.zeros((size, size))
    at_once = max(1, PRODUCT_BYTES // (8 * n_columns**2))
    for start in range(0, n_nodes, at_once):
        nodes = range(start, min(n_nodes, start + at_once))
        for q, product in zip(nodes, _products(blocks, scores, nodes, executor), strict=True):
            derivative = scores.by_column(q)
            out += derivative.T @ (derivative.T @ product).T
    return out


def _products(
    blocks: tuple[DenseBlock, ...], scores: DenseScores, nodes: range, executor: ThreadPoolExecutor | None
) -> Array:
    """Columns times posterior weight times columns, per node: (nodes, C + 1, C + 1)."""
    lanes = [blocks[k::LANES] for k in range(min(LANES, len(blocks)))]
    run = executor.map if executor is not None else map
    parts = list(run(partial(_lane_products, scores=scores, nodes=nodes), lanes))
    return np.asarray(sum(parts[1:], parts[0]))


LANES = 2  # each holds products of its own


def _lane_products(blocks: tuple[DenseBlock, ...], scores: DenseScores, nodes: range) -> Array:
    out = np.zeros(())
    for block in blocks:
        posterior, _ = posteriors(block, scores.table, scores.prior)
        columns = _with_ones(block, posterior.dtype)
        root = np.sqrt(posterior)
        if not out.shape:
            out = np.zeros((len(nodes), columns.shape[1], columns.shape[1]))
        for k, q in enumerate(nodes):
            weighted = columns * root[:, q, None]
            out[k] += weighted.T @ weighted
    return out


def _with_ones(block: DenseBlock, dtype: np.dtype) -> FloatArray:
    columns = block.columns
    out = np.ones((len(columns), columns.shape[1] + 1), dtype=dtype)
    out[:, :-1] = columns
    return out


def mean_products(blocks: tuple[DenseBlock, ...], scores: DenseScores, executor: ThreadPoolExecutor | None) -> Array:
    """Return the sum over persons of E(s | answers) E(s | answers)', ((I + 1) P,) squared."""
    lanes = [blocks[k::LANES] for k in range(min(LANES, len(blocks)))]
    run = executor.map if executor is not None else map
    parts = list(run(partial(_lane_mean_products, scores=scores), lanes))
    return np.asarray(sum(parts[1:], parts[0]))


def _lane_mean_products(blocks: tuple[DenseBlock, ...], scores: DenseScores) -> Array:
    size = scores.codes.shape[1] * (scores.design.n_items + 1)
    out = np.zeros((size, size))
    for block in blocks:
        rooted = mean_scores(block, scores) * np.sqrt(block.weight)[:, None]
        out += rooted.T @ rooted
    return out


def mean_scores(block: DenseBlock, scores: DenseScores) -> FloatArray:
    """E(s | answers), (n, (I + 1) P)."""
    posterior, _ = posteriors(block, scores.table, scores.prior)
    posterior /= block.weight[:, None]
    design, width = scores.design, scores.codes.shape[1]
    upper, item = design.upper, design.item_of_upper
    zero = scores.codes[design.offsets[:-1]].astype(posterior.dtype)  # (I, P, Q)
    out = np.empty((len(posterior), design.n_items + 1, width), dtype=posterior.dtype)
    out[:, -1] = posterior @ scores.population.T.astype(posterior.dtype)
    answered = 1.0 if design.complete else block.columns[:, len(upper) :].astype(posterior.dtype)
    chosen = block.columns[:, : len(upper)].astype(posterior.dtype)
    starts = np.searchsorted(item, np.arange(design.n_items))
    for p, steps in _steps(scores, zero, upper, item):
        by_code = chosen * (posterior @ steps.T)
        out[:, :-1, p] = np.add.reduceat(by_code, starts, axis=1) + answered * (posterior @ zero[:, p].T)
    return out.reshape(len(posterior), -1)


def _steps(scores: DenseScores, zero: FloatArray, upper: Index, item: Index) -> Iterator[tuple[int, FloatArray]]:
    for p in range(scores.codes.shape[1]):
        yield p, scores.codes[upper, p].astype(zero.dtype) - zero[item, p]
