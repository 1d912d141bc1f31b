"""Where the EM ended: what standard errors start from, and its items and population on the published scale."""

from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Ids, Index
from thetaline.irt.calibration.latent_m_step import moments
from thetaline.irt.calibration.model import EmState
from thetaline.irt.calibration.model_spec import ModelSpec
from thetaline.irt.calibration.problem import Problem
from thetaline.irt.families import Published
from thetaline.irt.items import Items
from thetaline.irt.population import Population


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Parameters at the end of the EM, and the problem that they solve."""

    problem: Problem
    state: EmState
    spec: ModelSpec
    item_ids: Ids  # in the caller's order

    @property
    def theta_scale(self) -> float:
        """The sd by which theta is published: the shared slope where Rasch or PCM items have one, else 1."""
        for block, free in zip(self.problem.model.item_blocks, self.state.free, strict=True):
            if block.scales_theta:
                return float(free[0, 0])
        return 1.0

    def category_counts(self) -> dict[object, tuple[float, ...]]:
        """Return {item id: number of answers by category}, persons by their frequency."""
        data = self.problem.data
        counts, ids = data.category_counts(), self.item_ids[data.order].tolist()
        return {name: tuple(counts[data.offsets[j] : data.offsets[j + 1]].tolist()) for j, name in enumerate(ids)}

    def items(self) -> Items:
        """Return the bank in the caller's order, on the published scale."""
        model, order = self.problem.model, self.problem.data.order
        columns = _empty(len(order), int(self.spec.n_categories.max()) - 1)
        for block, free in zip(model.item_blocks, self.state.free, strict=True):
            standard = block.family.standardised(free, 0.0, 1.0 / self.theta_scale)
            if block.family.unit:
                standard[:, 0] = 1.0  # and not 1 to within rounding
            _put(columns, order[block.index], block.family.to_published(standard))
        for block, free in model.anchors:
            _put(columns, order[block.index], block.family.to_published(free))
        b = columns.b[:, 0] if columns.b.shape[1] == 1 else columns.b
        spec = self.spec
        items = Items(
            ids=self.item_ids, model=spec.model, a=columns.a, b=b, c=columns.c, d=columns.d, lowest=spec.lowest
        )
        return items.numbered() if spec.by_position else items

    def population(self) -> Population:
        """Return nodes, weights and moments of every group on the published scale."""
        nodes, state, scale = self.problem.nodes, self.state, self.theta_scale
        theta, weights = nodes.theta(state), np.exp(nodes.log_weights(state))
        mean, sd = (state.mean, state.sd) if state.log_histogram is None else moments(theta, weights)
        return Population(self.spec.labels, mean * scale, sd * scale, theta * scale, weights)


def _empty(n_items: int, n_thresholds: int) -> Published:
    """NaN everywhere, b as wide as the item with the most categories asks."""
    a, c, d = np.full((3, n_items), np.nan)
    return Published(a, np.full((n_items, n_thresholds), np.nan), c, d)


def _put(columns: Published, at: Index, values: Published) -> None:
    columns.a[at], columns.c[at], columns.d[at] = values.a, values.c, values.d
    columns.b[at, : values.b.shape[1]] = values.b
