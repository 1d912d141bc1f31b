"""Before the first cycle: whether one scale holds all groups, and whether given nodes reach the given scale."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from thetaline.errors import ItemsError, ResponsesError
from thetaline.irt._types import Mask
from thetaline.irt.calibration.model_spec import Plan
from thetaline.irt.grid import Grid
from thetaline.irt.items import Items
from thetaline.irt.priors import Priors
from thetaline.irt.responses import Responses


def check_anchors_within(grid: Grid | None, anchors: Items | None) -> None:
    """Raise ItemsError where every threshold of the anchors lies outside the given nodes.

    The abilities would then lie where there is no node.
    """
    if grid is None or anchors is None:
        return
    low, high = float(np.nanmin(anchors.b)), float(np.nanmax(anchors.b))
    if low > grid.high or high < grid.low:
        raise ItemsError(
            f"anchors {anchors.ids[:5].tolist()} have b from {low:g} to {high:g}, outside {grid}; "
            "leave grid out, or take one around the anchors"
        )


def check_identified(responses: Responses, plan: Plan, priors: Priors) -> None:
    """Raise ResponsesError naming groups that no common item, anchor or prior on b ties to the first group."""
    if len(plan.labels) == 1 or priors.b is not None:
        return
    tied = _tied_to_scale(responses, plan)
    if not tied.all():
        loose = [label for label, held in zip(plan.labels, tied.tolist(), strict=True) if not held]
        others = "the anchors" if plan.anchors is not None else repr(plan.labels[0])
        raise ResponsesError(
            f"groups {loose} have no items in common with {others}, so "
            "their abilities have no common scale; calibrate them apart, add anchors, or give b a prior"
        )


def _tied_to_scale(responses: Responses, plan: Plan) -> Mask:
    """Whether a chain of common items leads from a group to the anchors or, without them, to the first group, (G,)."""
    n_groups, n_items = len(plan.labels), responses.n_items
    pairs = np.unique(plan.group[responses.person] * n_items + responses.item.astype(np.intp))
    group, item = pairs // n_items, pairs % n_items
    scale = n_groups + n_items
    anchors = np.flatnonzero(plan.anchored) + n_groups if plan.anchors is not None else np.array([0])
    rows, columns = np.concatenate([group, anchors]), np.concatenate([item + n_groups, np.full(len(anchors), scale)])
    links = coo_array((np.ones(len(rows)), (rows, columns)), shape=(scale + 1, scale + 1))
    _, component = connected_components(links, directed=False)
    return np.asarray(component[:n_groups] == component[scale])
