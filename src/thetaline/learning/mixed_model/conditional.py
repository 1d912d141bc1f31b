"""Standard errors of the BLUPs, which the library lacks: diagonal blocks of the inverse of Z'WZ + D⁻¹, in closed form.

With the many levels of one group first, their part of the matrix is block-diagonal (q × q), and what the few levels of
the other group add is a Schur complement of their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from thetaline.learning._types import Array, Ints

LEVELS_A_BLOCK = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """One random term: level of each row (n,), its effects' columns (n, q), covariance of the effects (q, q)."""

    codes: Ints
    columns: Array
    covariance: Array
    n_levels: int

    @property
    def q(self) -> int:
        """Effects a level."""
        return int(self.columns.shape[1])

    def matrix(self) -> sparse.csr_array:
        """Z (n, L q), level by level."""
        n, q = self.columns.shape
        place = self.codes[:, None] * q + np.arange(q)
        indptr = np.arange(n + 1) * q
        return sparse.csr_array((self.columns.ravel(), place.ravel(), indptr), shape=(n, self.n_levels * q))


def conditional_sds(designs: Sequence[Design], weight: Array) -> list[Array]:
    """(L, q) of each term; `weight` (n,) is the information of a row: 1 / variance, or n p (1 − p) of a logit."""
    if len(designs) == 1:
        return [_root(_block_inverse(designs[0], weight))]
    many, few = sorted(range(2), key=lambda one: -designs[one].n_levels)
    sds = _of_two(designs[many], designs[few], weight)
    return [sds[0], sds[1]] if many == 0 else [sds[1], sds[0]]


def _of_two(many: Design, few: Design, weight: Array) -> tuple[Array, Array]:
    inverse = _block_inverse(many, weight)
    weighted = few.matrix().multiply(weight[:, None]).tocsr()
    cross = sparse.csr_array(many.matrix().T @ weighted)  # (L q, F)
    own = np.asarray((few.matrix().T @ weighted).todense())
    own += np.kron(np.eye(few.n_levels), np.linalg.inv(few.covariance))
    scaled = sparse.csr_array(_block_diagonal(inverse) @ cross)
    schur = np.linalg.inv(own - np.asarray((cross.T @ scaled).todense()))
    added = np.concatenate([_quadratic(scaled[start : start + many.q * LEVELS_A_BLOCK], schur)
                            for start in range(0, scaled.shape[0], many.q * LEVELS_A_BLOCK)])  # fmt: skip
    of_many = np.sqrt(np.diagonal(inverse, axis1=1, axis2=2) + added.reshape(-1, many.q))
    return of_many, np.sqrt(np.diag(schur)).reshape(-1, few.q)


def _quadratic(rows: sparse.csr_array, matrix: Array) -> Array:
    """r' M r of each sparse row."""
    return np.asarray(rows.multiply(rows @ matrix).sum(axis=1)).ravel()


def _block_inverse(design: Design, weight: Array) -> Array:
    """(L, q, q) of Z'WZ + D⁻¹."""
    q = design.q
    blocks = np.empty((design.n_levels, q, q))
    for i in range(q):
        for j in range(q):
            product = weight * design.columns[:, i] * design.columns[:, j]
            blocks[:, i, j] = np.bincount(design.codes, product, design.n_levels)
    return np.asarray(np.linalg.inv(blocks + np.linalg.inv(design.covariance)))


def _block_diagonal(blocks: Array) -> sparse.bsr_array:
    n = len(blocks)
    return sparse.bsr_array((blocks, np.arange(n), np.arange(n + 1)))


def _root(blocks: Array) -> Array:
    return np.asarray(np.sqrt(np.diagonal(blocks, axis1=1, axis2=2)))
