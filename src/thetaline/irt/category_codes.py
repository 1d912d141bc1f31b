"""Which category of an item an answer is: codes that were declared, that a bank remembers, or that are understood."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import ItemsError, ModelWarning, ResponsesError
from thetaline.irt._types import Categories, Ints, Mask
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses

TOLD = "categories=(lowest, highest) of Responses.from_matrix, from_long or from_frame says what the codes are"


def matched_categories(
    answer: Categories, item: NDArray[np.integer], bank: Items, ranges: Ints | None = None
) -> Categories:
    """Return answers (M,) to the items of `bank` at `item` (M,) as their categories.

    Codes without declared `ranges` count from the bank's own lowest codes.  Warns (ModelWarning) where nobody gave the
    lowest category of any item of more than two: the answers may be coded otherwise.  Raises ResponsesError for codes
    below an item's lowest, ItemsError for ranges of another number of categories than the bank has.
    """
    if ranges is not None:
        _refuse_other_width(bank, ranges)
        return answer
    if bank.lowest.any():
        shifted = answer - bank.lowest[item]
        if (shifted < 0).any():
            at = int(np.flatnonzero(shifted < 0)[0])
            raise ResponsesError(
                f"item {bank.ids[item[at]]!r} was calibrated with codes from {bank.lowest[item[at]]}, but an answer is "
                f"{answer[at]}; {TOLD}"
            )
        answer = np.asarray(shifted).astype(np.uint8)
    _tell_of_lowest(answer, item, bank)
    return answer


def as_coded(responses: Responses, bank: Items) -> Responses:
    """The same responses as categories of a bank that holds all their items; raises as `matched_categories`."""
    mine = bank.take(responses.item_ids)
    answer = matched_categories(responses.answer, responses.item, mine, responses.ranges)
    return replace(responses, answer=answer, ranges=open_ranges(mine.lowest))


def open_ranges(lowest: Ints) -> Ints:
    """Ranges (I, 2) with a known lowest code, and a highest that nothing says."""
    return np.column_stack([lowest, lowest - 1])


def declared_widths(ranges: Ints | None, n_items: int) -> Ints:
    """Number of categories that were declared, (I,); 0 where nothing says the highest."""
    return np.zeros(n_items, dtype=np.int64) if ranges is None else ranges[:, 1] - ranges[:, 0] + 1


def understood(responses: Responses, polytomous: Mask, anchors: Items | None) -> Responses:
    """The responses with categories from 0, as a calibration takes them.

    Without declared ranges anchors keep their codes, and the items of more than two categories (I,) run 0 … K − 1, or
    1 … K where nobody gave a 0 to any of them.  Raises ResponsesError where nobody gave a 1 either.
    """
    at = np.array([], dtype=np.intp) if anchors is None else _places(responses, anchors)
    if responses.ranges is not None:
        if anchors is not None:
            _refuse_other_width(anchors, responses.ranges[at])
        return responses
    lowest, own = np.zeros(responses.n_items, dtype=np.int64), polytomous.copy()
    own[at] = False
    lowest[own] = _least_code(responses, own)
    if anchors is not None:
        lowest[at] = anchors.lowest
        fixed = np.isin(responses.item, at)
        place = np.zeros(responses.n_items, dtype=np.intp)
        place[at] = np.arange(len(at))
        matched_categories(responses.answer[fixed], place[responses.item[fixed]], anchors)
    if not lowest.any():
        return responses
    answer = (responses.answer - lowest[responses.item]).astype(np.uint8)
    return replace(responses, answer=answer, ranges=open_ranges(lowest))


def _places(responses: Responses, anchors: Items) -> NDArray[np.intp]:
    where = {name: place for place, name in enumerate(responses.item_ids.tolist())}
    return np.array([where[name] for name in anchors.ids.tolist()], dtype=np.intp)


def _least_code(responses: Responses, own: Mask) -> int:
    """0, or 1 where that is the lowest answer to any of these items."""
    if not own.any():
        return 0
    given = responses.answer[own[responses.item]]
    least = int(given.min(initial=255)) if given.size else 0
    if least > 1:
        raise ResponsesError(
            f"the lowest answer to any of the {own.sum()} items of more than two categories, first "
            f"{responses.item_ids[own][:3].tolist()}, is {least}: the scale may begin at 0, 1 or {least}; {TOLD}"
        )
    return least


def _tell_of_lowest(answer: Categories, item: NDArray[Any], bank: Items) -> None:
    many = bank.n_categories > 2
    if not many.any():
        return
    given = answer[many[item]]
    if given.size and given.min() > 0:
        low = int(bank.lowest[many].min())
        warnings.warn(
            f"nobody gave the lowest category, {low}, of any of the {many.sum()} items of more than two; if the codes "
            f"begin higher, every answer counts for too much: {TOLD}",
            ModelWarning,
            stacklevel=5,
        )


def _refuse_other_width(bank: Items, ranges: Ints) -> None:
    declared = declared_widths(ranges, len(bank))
    wrong = np.flatnonzero((declared > 0) & (declared != bank.n_categories))
    if wrong.size:
        i = wrong[0]
        raise ItemsError(
            f"item {bank.ids[i]!r} is declared to have {declared[i]} categories, {ranges[i, 0]} … {ranges[i, 1]}, and "
            f"has {bank.n_categories[i]} in the bank"
        )
