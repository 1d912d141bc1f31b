"""Covariance of item estimates, as calibration gives it and linking, drift and Wald tests take it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thetaline.errors import ItemsError
from thetaline.irt._types import Array, short_repr
from thetaline.irt.items import Items

BLOCKS = 3  # dimensions of (I, P, P)
ROUNDING = 1e-6  # of numbers that were stored as text


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ItemCovariance:
    """Covariance of published item parameters: entry j belongs to item `ids[j]` and parameter `names[j]`.

    Names are "a", "b", "c", "d"; thresholds of polytomous items are "b1", "b2", …  What is built on it sees by the
    rest whether the calibration came to an end, and what it found.
    """

    ids: Any  # (P,)
    names: Any  # (P,)
    matrix: Array  # (P, P)
    status: str = "converged"  # with what to do about it where it is another
    notes: tuple[str, ...] = ()
    doubtful: frozenset[object] = frozenset()  # ids of items whose estimates the answers do not determine

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.matrix.shape != (len(self.ids), len(self.ids)) or len(self.names) != len(self.ids):
            raise ItemsError(
                f"covariance of shape {self.matrix.shape} for {len(self.ids)} ids and {len(self.names)} parameter names"
            )

    @classmethod
    def from_errors(cls, errors: Items) -> "ItemCovariance":
        """Diagonal, from standard errors as `fit.standard_errors()` gives them; NaN means not estimated."""
        b = errors.thresholds
        names = ["a", *(f"b{v + 1}" if b.shape[1] > 1 else "b" for v in range(b.shape[1])), "c", "d"]
        table = np.column_stack([errors.a, b, errors.c, errors.d])
        item, column = np.nonzero(np.isfinite(table))
        return cls(errors.ids[item], np.array(names, dtype=object)[column], np.diag(table[item, column] ** 2))


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ItemBlocks:
    """Covariance within each of I items, of its published (a, b) or (a, b_1, …): memory is linear in items.

    Rows and columns of what is fixed or absent are 0 or NaN.
    """

    ids: Any  # (I,)
    matrices: Array  # (I, P, P)

    def __post_init__(self) -> None:
        """Refuse what does not fit together, and blocks that are no covariances."""
        shape = self.matrices.shape
        if len(shape) != BLOCKS or shape[0] != len(self.ids) or shape[1] != shape[2]:
            raise ItemsError(f"blocks of shape {shape} for {len(self.ids)} ids; (I, P, P) is needed")
        known = np.nan_to_num(self.matrices)
        variance = np.diagonal(known, axis1=1, axis2=2)
        limit = np.sqrt(np.maximum(variance[:, :, None] * variance[:, None, :], 0.0)) * (1.0 + ROUNDING)
        if wrong := np.flatnonzero(np.any((np.abs(known) > limit) | (variance < 0)[:, None, :], axis=(1, 2))).tolist():
            first = f"{self.ids[wrong[0]]!r} with {self.matrices[wrong[0]].tolist()}"
            raise ItemsError(f"{len(wrong)} blocks are no covariances, first that of item {first}")


ItemErrors = ItemCovariance | ItemBlocks | Items  # Items: standard errors in place of the parameters


def refuse_foreign(items: Items, covariance: ItemErrors | None, name: str) -> None:
    """Raise ItemsError for a covariance of other items: taken as it is, it would make these known without error."""
    if covariance is None or not len(covariance.ids):
        return
    theirs = list(dict.fromkeys(covariance.ids.tolist()))
    if not set(theirs) & set(items.ids.tolist()):
        raise ItemsError(f"{name} is of other items ({theirs[:3]}) than those it belongs to ({items.ids[:3].tolist()})")
