"""Standard errors of A and B: by the delta method from the items' covariance, else by a jackknife over the anchors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thetaline.irt._types import Array, short_repr
from thetaline.irt.covariance import ItemCovariance
from thetaline.irt.linking.method import LinkSolution

MAX_GROUPS = 50  # a jackknife of more groups is no more exact and costs a link each


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class LinkErrors:
    """Standard errors of A and B, their covariance (2, 2), and `method`: "delta", "jackknife" or "none"."""

    A: float
    B: float
    covariance: Array
    method: str

    @classmethod
    def of(cls, covariance: Array, method: str) -> "LinkErrors":
        """Square roots of the diagonal."""
        A, B = np.sqrt(np.diagonal(covariance))
        return cls(float(A), float(B), covariance, method)


def delta(solution: LinkSolution, covariances: dict[str, ItemCovariance | None]) -> LinkErrors:
    """Σ_scales D Σ Dᵀ with D = ∂(A, B)/∂parameters; a scale without covariance is taken as known."""
    sensitivity = solution.sensitivity._asdict()
    total = np.zeros((2, 2))
    for side, covariance in covariances.items():
        if covariance is not None:
            D = derivatives_by_entry(solution.anchors.ids, sensitivity[side], covariance)
            total += D @ covariance.matrix @ D.T
    return LinkErrors.of(total, "delta")


def derivatives_by_entry(ids: Any, sensitivity: dict[str, Array], covariance: ItemCovariance) -> Array:
    """(2, P): ∂(A, B) by each entry of a covariance; 0 for items that are no anchors."""
    position = {item: i for i, item in enumerate(ids.tolist())}
    D, nothing = np.zeros((2, len(covariance.ids))), np.zeros((2, len(ids)))
    for j, (item, name) in enumerate(zip(covariance.ids, covariance.names, strict=True)):
        if item in position:
            column = sensitivity.get(name[0], nothing)[:, position[item]]  # moments of a and b do not heed c and d
            D[:, j] = column[:, int(name[1:] or 1) - 1] if name[0] == "b" else column
    return D


def jackknife(solution: LinkSolution) -> LinkErrors:
    """Leave out each anchor (or each of 50 groups) in turn: what a different draw of anchors would have changed."""
    n = min(solution.anchors.n, MAX_GROUPS)
    group = np.arange(solution.anchors.n) % n
    without = np.array([solution.without(group == g)[:2] for g in range(n)])
    away = without - without.mean(axis=0)
    return LinkErrors.of((n - 1) / n * away.T @ away, "jackknife")


def unknown_errors() -> LinkErrors:
    """NaN, for a run that is not linked."""
    return LinkErrors(float("nan"), float("nan"), np.full((2, 2), np.nan), "none")
