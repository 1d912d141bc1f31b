"""Items of one family: the unit of vectorised work on a bank."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from thetaline.irt._types import Array, Categories, Index
from thetaline.irt.families import AnswerDerivatives, Curve, Family


class ItemCurves(NamedTuple):
    """M items of one family, an item a row and repeated at will, with what its curve is computed from."""

    family: Family
    coefficients: Array  # (M, R)

    def curve(self, theta: Array) -> Curve:
        """Item m at `theta[m]`: (M, K)."""
        return self.family.curve(self.coefficients, theta)

    def answered(self, theta: Array, answer: Categories) -> AnswerDerivatives:
        """Derivatives of log P(answer to item m) at `theta[m]`, (M,)."""
        return self.family.answered(self.coefficients, theta, answer)


@dataclass(frozen=True, slots=True, eq=False)
class ItemBatch:
    """G items that share a family and a number of categories: the unit of vectorised work."""

    family: Family
    n_categories: int
    index: Index  # (G,) positions in the bank
    free: Array  # (G, P) slope–intercept parameters
    coefficients: Array  # (G, R) what the curves are computed from

    @classmethod
    def of(cls, family: Family, n_categories: int, index: Index, free: Array) -> Self:
        """Compute the coefficients once."""
        return cls(family, n_categories, index, free, family.coefficients(free))

    def codes(self, offsets: Index) -> Index:
        """Rows of these items in a category table, shape (G, K)."""
        return offsets[self.index][:, None] + np.arange(self.n_categories)

    def log_prob(self, theta: Array) -> Array:
        """log P of every item at every ability, (G, K, Q)."""
        return self.family.log_prob(self.free, theta)

    def at_nodes(self, theta: Array) -> Curve:
        """Every item at every ability: (G, Q, K)."""
        return self.family.curve(self.coefficients[:, None, :], theta)

    @property
    def curvature_bound(self) -> Array:
        """Most that −∂² log P / ∂θ² of any answer can be, (G,)."""
        return self.family.curvature_bound(self.free, self.n_categories)

    def curves(self, which: Index) -> ItemCurves:
        """The items at these positions, repeated as often as they are named."""
        # gathered coefficient by coefficient: the formulas read them so
        return ItemCurves(self.family, self.coefficients.T[:, which].T)

    def item(self, row: int) -> ItemBatch:
        """One of the items."""
        one = slice(row, row + 1)
        return replace(self, index=self.index[one], free=self.free[one], coefficients=self.coefficients[one])

    def with_free(self, free: Array) -> Self:
        """The same items with other free parameters."""
        return type(self).of(self.family, self.n_categories, self.index, free)
