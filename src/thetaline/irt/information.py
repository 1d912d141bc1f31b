"""What a bank tells about θ, where: information, standard error, expected score, marginal reliability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thetaline.irt._arguments import ability_column, check_kinds, one_normal_prior
from thetaline.irt._types import Array, short_repr
from thetaline.irt.grid import normal_log_weights
from thetaline.irt.items import Items


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class Information:
    """Fisher information of I items and of the test they make, at Q abilities."""

    ids: Any  # (I,)
    theta: Array  # (Q,)
    item: Array  # (I, Q)
    expected_item_score: Array  # (I, Q), categories scored 0 … K − 1

    @property
    def test(self) -> Array:
        """Σ_i I_i(θ), (Q,)."""
        return np.asarray(self.item.sum(axis=0))

    @property
    def se(self) -> Array:
        """1 / √information: standard error of θ from all items, (Q,); inf where they tell nothing."""
        with np.errstate(divide="ignore"):
            return np.asarray(1.0 / np.sqrt(self.test))

    @property
    def expected_score(self) -> Array:
        """Expected sum score, (Q,): the test characteristic curve."""
        return np.asarray(self.expected_item_score.sum(axis=0))


def information(items: Items, theta: ArrayLike) -> Information:
    """Evaluate a bank at abilities (Q,); raises InputError where they are not finite."""
    check_kinds(items=(items, Items))
    nodes = ability_column(theta)
    return Information(items.ids, nodes, items.information(nodes), items.expected_score(nodes))


def marginal_reliability(items: Items, *, mean: float = 0.0, sd: float = 1.0, n_nodes: int = 201) -> float:
    """∫ I(θ) / (I(θ) + 1 / sd²) φ(θ; mean, sd²) dθ for a test of all items (Green et al., 1984), between 0 and 1.

    Raises InputError for a mean and sd that are no population.
    """
    check_kinds(items=(items, Items))
    mean, sd = one_normal_prior((mean, sd))
    theta = mean + sd * np.linspace(-8.0, 8.0, n_nodes)
    told = items.information(theta).sum(axis=0)
    return float(np.exp(normal_log_weights(theta, mean, sd)) @ (told / (told + 1.0 / sd**2)))
