"""Observed information of each item by itself, for banks whose full matrix would not fit.

Covariances between items are left out, which makes the errors slightly too small; shared slopes and populations, whose
information is spread over all items, get none.
"""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array, FloatArray
from thetaline.irt.calibration.blocking import DenseBlock, SparseBlock
from thetaline.irt.calibration.e_step import posteriors
from thetaline.irt.standard_errors.missing_information_dense import DenseScores, mean_scores
from thetaline.irt.standard_errors.missing_information_sparse import SparseScores, batches
from thetaline.irt.standard_errors.observed import FullInformation


@dataclass(frozen=True, slots=True, eq=False)
class ItemInformation(FullInformation):
    """The same two matrices with every entry between items left at zero, as (I, P, P) stacks."""

    def observed_blocks(self, complete: Array, counts: Array) -> Array:
        """Complete-data blocks (I, P, P) less the items' own posterior covariances; `counts` (G, sum of K, Q)."""
        return complete - self._own_second_moments(counts) + self.crossproduct_blocks()

    def crossproduct_blocks(self) -> Array:
        """Sum over persons of E(s_i | answers) E(s_i | answers)', (I, P, P)."""
        n_items, width = self.parameters.of_item.shape
        out = np.zeros((n_items, width, width))
        for g, blocks in enumerate(self.solution.problem.data.blocks):
            scores = self.scores(g)
            for block in blocks:
                if isinstance(scores, DenseScores) and isinstance(block, DenseBlock):
                    out += _dense_blocks(block, scores, width)
                elif isinstance(scores, SparseScores) and isinstance(block, SparseBlock):
                    _add_sparse_blocks(out, block, scores)
        return out

    def _own_second_moments(self, counts: Array) -> Array:
        """Sum over persons of E(s_i s_i' | answers): the expected counts have it all."""
        n_items, width = self.parameters.of_item.shape
        offsets = self.solution.problem.model.offsets
        out = np.zeros((n_items, width, width))
        for g in range(len(counts)):
            codes = self.tables(g).codes
            by_code = (codes * counts[g][:, None, :]) @ codes.transpose(0, 2, 1)
            out += np.add.reduceat(by_code, offsets[:-1], axis=0)
        return out


def _dense_blocks(block: DenseBlock, scores: DenseScores, width: int) -> Array:
    mean = mean_scores(block, scores).reshape(len(block.weight), -1, width)[:, :-1]
    own = np.ascontiguousarray(mean.transpose(1, 0, 2), dtype=np.float64)
    return np.asarray((own * block.weight[None, :, None]).transpose(0, 2, 1) @ own)


def _add_sparse_blocks(out: Array, block: SparseBlock, scores: SparseScores) -> None:
    posterior, _ = posteriors(block, scores.table, scores.prior)
    for codes, weights in batches(block, posterior, scores):
        frequency = weights.sum(axis=1)
        mean = _means(scores.codes[codes[:, :-1]], weights / frequency[:, None])
        products = mean[:, :, :, None] * mean[:, :, None, :] * frequency[:, None, None, None]
        item = scores.item_of_code[codes[:, :-1]].ravel()
        flat = products.reshape(item.size, -1)
        for k in range(flat.shape[1]):
            out.reshape(len(out), -1)[:, k] += np.bincount(item, flat[:, k], minlength=len(out))


def _means(score: FloatArray, weights: FloatArray) -> FloatArray:
    """E(s) of every answer, (n, m, P), from `score` (n, m, P, Q) and posteriors (n, Q)."""
    n, m, width, _ = score.shape
    return np.asarray((score.reshape(n, m * width, -1) @ weights[:, :, None]).reshape(n, m, width))
