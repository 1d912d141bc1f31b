"""From a plan and canonical observations to a model with its starting values, and from its solution back to items."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array, Index
from thetaline.irt.calibration.fit import Solution
from thetaline.irt.calibration.model import Model, Part, State
from thetaline.irt.calibration.model_spec import Plan
from thetaline.irt.calibration.observations import Observations
from thetaline.irt.families import FAMILIES, Published
from thetaline.irt.items import Batch, Items


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Published parameters by position: a (I,), b (I, K - 1) padded with NaN, c (I,), d (I,)."""

    a: Array
    b: Array
    c: Array
    d: Array

    @classmethod
    def empty(cls, n_items: int, n_thresholds: int) -> "Columns":
        """All NaN."""
        one = [np.full(n_items, np.nan) for _ in range(3)]
        return cls(one[0], np.full((n_items, n_thresholds), np.nan), one[1], one[2])

    def put(self, at: Index, published: Published) -> None:
        """Write a part's values at its positions."""
        self.a[at], self.c[at], self.d[at] = published.a, published.c, published.d
        self.b[at, : published.b.shape[1]] = published.b


def build_model(plan: Plan, observations: Observations, *, fixed_nodes: bool) -> Model:
    """Arrange parts in canonical order; on a given theta scale Rasch and PCM have slope 1 and the sd is free."""
    given_scale = plan.anchors is not None or fixed_nodes
    parts = tuple(
        Part(FAMILIES[name], k, at, slope_free=not (FAMILIES[name].unit and given_scale))
        for name, k, at in _batches(plan, observations, anchored=False)
    )
    anchors = tuple(_anchor_parts(plan, observations))
    free = np.full(len(plan.labels), True)
    mean_free, sd_free = free.copy(), free.copy()
    if plan.anchors is None:
        mean_free[0] = False
        sd_free[0] = any(not part.slope_free for part in parts)
    return Model(parts, anchors, observations.offsets, mean_free, sd_free)


def _batches(plan: Plan, observations: Observations, *, anchored: bool) -> Iterator[tuple[str, int, Index]]:
    models = plan.model[observations.order]
    here = plan.anchored[observations.order] == anchored
    sizes = observations.n_categories
    for name, k in sorted({(str(m), int(s)) for m, s in zip(models[here], sizes[here], strict=True)}):
        yield name, k, np.flatnonzero(here & (models == name) & (sizes == k))


def _anchor_parts(plan: Plan, observations: Observations) -> Iterator[tuple[Part, Array]]:
    if plan.anchors is None:
        return
    at = {name: k for k, name in enumerate(plan.anchors.ids.tolist())}
    id_at = {k: name for name, k in plan.position.items()}
    for name, k, index in _batches(plan, observations, anchored=True):
        rows = np.array([at[id_at[int(observations.order[j])]] for j in index], dtype=np.intp)
        yield Part(FAMILIES[name], k, index), plan.anchors.free(Batch(FAMILIES[name], k, rows))


def starting_state(model: Model, plan: Plan, category_counts: Array) -> State:
    """Begin at slope 1 and the observed proportions (`category_counts` (I, K) in canonical order)."""
    smooth = category_counts + 0.5
    free = []
    for part in model.parts:
        counts = smooth[part.index, : part.n_categories]
        free.append(part.family.start(counts / counts.sum(axis=1, keepdims=True)))
    n_groups = len(plan.labels)
    return State(tuple(free), np.zeros(n_groups), np.ones(n_groups))


def theta_scale(model: Model, state: State) -> float:
    """The sd by which theta is published: the shared slope where Rasch or PCM items have one, else 1."""
    for part, free in zip(model.parts, state.free, strict=True):
        if part.tie == "unit":
            return float(free[0, 0])
    return 1.0


def published_items(solution: Solution) -> Items:
    """Return the bank in the caller's order, on the published scale."""
    model, plan, order = solution.problem.model, solution.plan, solution.problem.observations.order
    columns = Columns.empty(len(order), int(plan.n_categories.max()) - 1)
    scale = theta_scale(model, solution.state)
    for part, free in zip(model.parts, solution.state.free, strict=True):
        standard = part.family.standardised(free, 0.0, 1.0 / scale)
        if part.family.unit:
            standard[:, 0] = 1.0  # and not 1 to within rounding
        columns.put(order[part.index], part.family.to_published(standard))
    for part, free in model.anchors:
        columns.put(order[part.index], part.family.to_published(free))
    b = columns.b[:, 0] if columns.b.shape[1] == 1 else columns.b
    return Items(ids=solution.item_ids, model=plan.model, a=columns.a, b=b, c=columns.c, d=columns.d)
