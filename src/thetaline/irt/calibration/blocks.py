"""Blocks of persons: the two products of the E-step, dense through BLAS or sparse through SciPy.

A design knows how answers meet the table of log-probabilities (one row a category of an item, one column a node).
Dense columns are the categories above 0, against the difference to category 0, and, where cells are missing, whether
the item was answered; so complete dichotomous data need one product with an (I, Q) table.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thetaline.irt._types import Array, Index

Work = NDArray[Any]  # float32 or float64, as the size of the problem asks


class Block(Protocol):
    """Some persons' answers and how often each pattern occurs."""

    @property
    def weight(self) -> Work:
        """Frequency of each pattern, (n,)."""

    def log_likelihood(self, table: Work) -> Work:
        """Return log P(answers | node), shape (n, Q); `table` is the design's."""

    def gather(self, posterior: Work) -> Work:
        """Return the sums of posterior rows by table row."""


class Design(Protocol):
    """How category tables are arranged for the blocks' products, and back."""

    def table(self, log_prob: Array, dtype: np.dtype[Any]) -> Work:
        """Arrange a category table (sum of K, Q) for `Block.log_likelihood`."""

    def counts(self, gathered: Array, mass: Array) -> Array:
        """Return expected counts (sum of K, Q) from what the blocks gathered; `mass` (Q,) is the sum of posteriors."""


@dataclass(frozen=True, slots=True)
class SparseBlock:
    """One-hot rows in CSR form."""

    one_hot: "sparse.csr_array"  # (n, sum of K)
    weight: Work

    def log_likelihood(self, table: Work) -> Work:
        """Sum the table rows of each person's answers."""
        return np.asarray(self.one_hot @ table)

    def gather(self, posterior: Work) -> Work:
        """Add each person's posterior to the rows of their answers."""
        return np.asarray(self.one_hot.T @ posterior)


@dataclass(frozen=True, slots=True)
class SparseDesign:
    """The table as it is."""

    def table(self, log_prob: Array, dtype: np.dtype[Any]) -> Work:
        """Only the precision changes."""
        return log_prob.astype(dtype, copy=False)

    def counts(self, gathered: Array, mass: Array) -> Array:  # noqa: ARG002  (the contract's signature)
        """Already by category."""
        return gathered


@dataclass(frozen=True, slots=True)
class DenseBlock:
    """Indicator columns; stored in bytes when the whole matrix would be large, and widened block by block."""

    columns: NDArray[Any]  # (n, C)
    weight: Work

    def log_likelihood(self, table: Work) -> Work:
        """One GEMM, and the log-probability of answering 0 everywhere where that is common to all (last row)."""
        wide = self.columns.astype(table.dtype, copy=False)
        out = wide @ table[: wide.shape[1]]
        if len(table) > wide.shape[1]:
            out += table[-1]
        return np.asarray(out)

    def gather(self, posterior: Work) -> Work:
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

    def table(self, log_prob: Array, dtype: np.dtype[Any]) -> Work:
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
