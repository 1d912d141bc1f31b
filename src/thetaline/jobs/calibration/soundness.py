"""What tells a spoiled night from a sound one, in the answers and against what is published. Values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.arrays import Array, Int32s
from thetaline.jobs.calibration.answer_checks import OddDays, copied_share, independence_log_likelihood, odd_days
from thetaline.jobs.calibration.engine import CalibrationReply, ItemEstimates, positions
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.calibration.published_comparison import (
    PublishedAbilities,
    ThetaChange,
    moved_share,
    references_gap,
    theta_change,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """None where there is nothing to compare with."""

    gain: float  # 2 (log-likelihood − that of items which share no ability)
    copied: float  # share of the answers
    odd_days: OddDays
    moved: float | None  # share of the items in both calibrations whose parameters differ beyond their errors
    n_items: int  # in both
    learners: ThetaChange
    references_gap: float | None  # of the anchors used, from what was published of them


def soundness(
    observations: Observations,
    reply: CalibrationReply,
    *,
    day: Int32s,
    anchors: Sequence[AnchorItem] = (),
    items: ItemEstimates | None = None,
    abilities: PublishedAbilities | None = None,
) -> Soundness:
    """Look at the answers by themselves, and at what came out against the published `items` and `abilities`.

    `day` (M,) numbers the day of each answer.
    """
    moved, n_items = (None, 0) if items is None else moved_share(with_free_anchors(reply), items)
    dropped = reply.linking.dropped if reply.linking else ()
    used = [anchor for anchor in anchors if anchor.item_id not in dropped]
    nobody = ThetaChange(None, None, None, 0)
    return Soundness(
        gain=2.0 * (reply.fit.log_likelihood - independence_log_likelihood(observations)),
        copied=copied_share(observations, reply.items, reply.abilities),
        odd_days=odd_days(observations, day, reply.items, reply.abilities),
        moved=moved,
        n_items=n_items,
        learners=nobody if abilities is None else theta_change(reply.abilities, abilities),
        references_gap=None if items is None else references_gap(used, items),
    )


def with_free_anchors(reply: CalibrationReply) -> ItemEstimates:
    """What the answers say of every item: of anchors that were held, the free estimates."""
    items, free = reply.items, reply.free_anchors
    if free is None:
        return items
    at = positions(free.item_ids, items.item_ids)

    def put(column: Array | None, values: Array | None) -> Array:
        out = np.full(items.item_ids.size, np.nan) if column is None else column.copy()
        out[at] = np.nan if values is None else values
        return out

    return ItemEstimates(
        item_ids=items.item_ids,
        parameters={name: put(values, free.parameters.get(name)) for name, values in items.parameters.items()},
        se={name: put(items.se.get(name), values) for name, values in free.se.items()},
        covariance_ab=put(items.covariance_ab, free.covariance_ab),
    )
