"""Who chose what: of each option or category of an item its share, and how able the persons are who chose it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._coding import frame, objects
from thetaline.irt._types import Array, Ids, Index, short_repr
from thetaline.irt.classical.rest_scores import ItemScores, correlation, moments_by_item, weighted_sums
from thetaline.irt.responses import Responses

if TYPE_CHECKING:
    import pandas as pd


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class OptionTable:
    """R rows, one an option (or a category) of an item that somebody chose, in the order of items and options."""

    item_ids: Ids  # (R,)
    option: Ids  # (R,) the option's text, or the category
    score: Array  # (R,) the category that it is scored as
    n: Array  # (R,) how many chose it
    share: Array  # (R,) of those who answered the item
    mean_rest: Array  # (R,) mean rest score of those who chose it, 0..1
    rest_correlation: Array  # (R,) of having chosen it with the rest score
    mean_theta: Array  # (R,) NaN without abilities
    item: Index  # (R,) position of the item

    def to_frame(self) -> pd.DataFrame:
        """Return one row an option.  Needs pandas."""
        names = ("option", "score", "n", "share", "mean_rest", "rest_correlation", "mean_theta")
        return frame({"item_id": self.item_ids, **{name: getattr(self, name) for name in names}})


class Choices(NamedTuple):
    """What was chosen in every answer (M,), as a place in `labels`; alternatives are options, else categories."""

    code: NDArray[np.integer]
    labels: Sequence[Any]
    are_alternatives: bool


def option_table(responses: Responses, scores: ItemScores, choices: Choices, theta: Array | None) -> OptionTable:
    """`choices` are in the order of the responses; `theta` is one a person (N,)."""
    width = len(choices.labels)
    cell, row = np.unique(responses.item.astype(np.int64) * width + choices.code, return_inverse=True)
    item, option = cell // width, [choices.labels[code] for code in (cell % width).tolist()]
    n_rows = len(item)
    n = weighted_sums(row, scores.weight, n_rows)
    answered = weighted_sums(responses.item, scores.weight, responses.n_items)[item]
    ability = np.full(len(row), np.nan) if theta is None else theta[responses.person]
    return OptionTable(
        item_ids=responses.item_ids[item],
        option=objects(option),
        score=weighted_sums(row, scores.weight * scores.score, n_rows) / n,
        n=n,
        share=n / answered,
        mean_rest=_means(row, scores.rest, scores.weight, n_rows),
        rest_correlation=_point_biserial(responses, scores, row, item),
        mean_theta=_means(row, ability, scores.weight, n_rows),
        item=item,
    )


def _means(row: Index, values: Array, weight: Array, n_rows: int) -> Array:
    return moments_by_item(row, np.zeros(len(row)), values, weight, n_rows).mean_y


def _point_biserial(responses: Responses, scores: ItemScores, row: Index, item: Index) -> Array:
    """Of having chosen a row's option (y = 1, else 0) with the rest score x, among all who answered the item."""
    seen = np.isfinite(scores.rest)
    of_item = moments_by_item(responses.item, scores.rest, scores.rest, scores.weight, responses.n_items)
    n_row = weighted_sums(row[seen], scores.weight[seen], len(item))
    above = _means(row, scores.rest, scores.weight, len(item)) - of_item.mean_x[item]
    share = np.divide(n_row, of_item.n[item], out=np.full(len(item), np.nan), where=of_item.n[item] > 0)
    moments = of_item._replace(n=of_item.n[item], xx=of_item.xx[item], yy=n_row * (1.0 - share), xy=n_row * above)
    return correlation(moments)
