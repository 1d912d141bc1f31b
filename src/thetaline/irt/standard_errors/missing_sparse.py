"""What is missing, for sparse data: each person's own answers against each other, in batches.

The posterior covariance of m answers' scores is a small Gram matrix; its blocks are added up by pair of items.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from thetaline.irt.calibration.blocks import SparseBlock, Work
from thetaline.irt.calibration.expectation import posteriors

Array = NDArray[np.float64]
Index = NDArray[np.intp]

BATCH_BYTES = 1 << 22  # scores of a batch: 4 MB, within reach of a core's cache
LANES = 2  # each holds sums of its own


@dataclass(frozen=True, slots=True, eq=False)
class SparseScores:
    """Scores of one group by code; the population is one more item, which everybody answered."""

    table: Work  # (sum of K, Q)
    prior: Work  # (Q,)
    codes: Work  # (sum of K + 1, P, Q): derivatives by code, the population's in the last row
    item_of_code: Index  # (sum of K + 1,)

    @property
    def n_items(self) -> int:
        """Items and the population."""
        return int(self.item_of_code[-1]) + 1


def pair_sums(
    blocks: tuple[SparseBlock, ...], scores: SparseScores, executor: ThreadPoolExecutor | None, *, means: bool
) -> Array:
    """Return the sum over persons of Cov(s | answers), or with `means` of E(s | answers) E(s | answers)'; (L, L)."""
    run = executor.map if executor is not None else map
    lanes = [blocks[k::LANES] for k in range(min(LANES, len(blocks)))]
    parts = list(run(partial(_lane, scores=scores, means=means), lanes))
    total = np.asarray(sum(parts[1:], parts[0]))
    n, width = scores.n_items, scores.codes.shape[1]
    upper = total.reshape(n, n, width, width).transpose(0, 2, 1, 3).reshape(n * width, n * width)
    diagonal = np.kron(np.eye(n, dtype=bool), np.ones((width, width), dtype=bool))
    return np.asarray(upper + np.where(diagonal, 0.0, upper.T))


def _lane(blocks: tuple[SparseBlock, ...], scores: SparseScores, *, means: bool) -> Array:
    n, width = scores.n_items, scores.codes.shape[1]
    out = np.zeros((n * n, width * width))
    for block in blocks:
        posterior, _ = posteriors(block, scores.table, scores.prior)
        for codes, weights in batches(block, posterior, scores):
            rooted = _rooted(scores.codes[codes], weights, means=means)
            _add_pairs(out, rooted @ rooted.transpose(0, 2, 1), scores.item_of_code[codes], n, width)
    return out


def batches(block: SparseBlock, posterior: Work, scores: SparseScores) -> Iterator[tuple[Index, Work]]:
    """Persons with equally many answers: codes (n, m + 1), the population's last, and posteriors times frequency."""
    indptr, indices = block.one_hot.indptr, block.one_hot.indices
    lengths = np.diff(indptr)
    for m in np.unique(lengths):
        rows = np.flatnonzero(lengths == m)
        size = max(1, int(BATCH_BYTES // (scores.codes[0].nbytes * (m + 1))))
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            own = indices[indptr[some][:, None] + np.arange(m)]
            population = np.full((len(some), 1), len(scores.item_of_code) - 1)
            yield np.concatenate([own, population], axis=1), posterior[some]


def _rooted(score: Work, weights: Work, *, means: bool) -> Work:
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


def _add_pairs(out: Array, gram: Work, item: Index, n: int, width: int) -> None:
    """Add each person's blocks (r, c), r <= c, to the rows `item_r n + item_c`."""
    m = item.shape[1]
    first, second = np.triu_indices(m)
    pair = (item[:, first] * n + item[:, second]).ravel()
    blocks = gram.reshape(len(item), m, width, m, width).transpose(0, 1, 3, 2, 4)[:, first, second]
    blocks = blocks.reshape(-1, width * width)
    for k in range(width * width):
        out[:, k] += np.bincount(pair, blocks[:, k], minlength=len(out))
