"""Classical statistics of a night's answers, for the metrics of its run."""

from collections.abc import Mapping

import numpy as np

from thetaline import irt
from thetaline.jobs.arrays import Array
from thetaline.jobs.calibration.observations import Observations

DIGITS = 4


def classical_statistics(observations: Observations) -> Mapping[str, object]:
    """Alpha and omega with 95 % intervals, columns of the items, and the items that need a look with all reasons."""
    responses = irt.Responses.from_long(observations.user, observations.item, observations.correct)
    analysis = irt.item_analysis(responses)
    names = observations.item_ids[responses.item_ids.astype(np.intp)].tolist()
    by_place = dict(zip(responses.item_ids.tolist(), names, strict=True))
    return {
        "alpha": _interval(analysis.alpha),
        "omega": _interval(analysis.omega),
        "items": {
            "item_id": names,
            "n_answers": analysis.n_answers.astype(int).tolist(),
            "share_right": _rounded(analysis.difficulty),
            "item_rest": _rounded(analysis.item_rest),
        },
        "flagged": {by_place[place]: reasons for place, reasons in analysis.flagged().items()},
    }


def _interval(coefficient: irt.Reliability) -> dict[str, float] | None:
    """None where some pair of items has no learner in common."""
    if not np.isfinite(coefficient.estimate):
        return None
    names = ("estimate", "low", "high")
    return {name: round(value, DIGITS) for name in names if np.isfinite(value := getattr(coefficient, name))}


def _rounded(values: Array) -> list[float | None]:
    return [round(value, DIGITS) if np.isfinite(value) else None for value in values.tolist()]
