"""The persons who answered every item of the bank, as a matrix: what sum scores and moments are made of."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import ResponsesError
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses


class Complete(NamedTuple):
    """n complete persons (patterns)."""

    answers: NDArray[np.uint8]  # (n, I), columns in the order of the bank
    counts: NDArray[np.float64]  # (n,)
    person: NDArray[np.intp]  # (n,) their rows in the responses


def complete_persons(items: Items, responses: Responses) -> Complete:
    """Leave out whoever lacks an answer to an item of the bank; answers to other items do not count."""
    column = bank_columns(items, responses)
    kept = column[responses.item] >= 0
    person, item = responses.person[kept], column[responses.item[kept]]
    answered = np.bincount(person, minlength=responses.n_persons)
    rows = np.flatnonzero(answered == items.n_items)
    place = np.full(responses.n_persons, -1, dtype=np.intp)
    place[rows] = np.arange(rows.size)
    inside = place[person] >= 0
    answers = np.zeros((rows.size, items.n_items), dtype=np.uint8)
    answers[place[person[inside]], item[inside]] = responses.answer[kept][inside]
    return Complete(answers, responses.counts[rows], rows)


def bank_columns(items: Items, responses: Responses) -> NDArray[np.intp]:
    """Position in the bank of each item of the responses, −1 for one that is not in it.

    Raises ResponsesError for an answer beyond an item's categories.
    """
    where = {name: position for position, name in enumerate(items.ids.tolist())}
    column = np.array([where.get(name, -1) for name in responses.item_ids.tolist()], dtype=np.intp)
    limit = np.where(column >= 0, items.n_categories[column], np.iinfo(np.int64).max)
    beyond = responses.answer >= limit[responses.item]
    if beyond.any():
        item = responses.item[np.argmax(beyond)]
        raise ResponsesError(
            f"item {responses.item_ids[item]!r} has {limit[item]} categories 0 … {limit[item] - 1}, "
            f"but an answer is {responses.answer[np.argmax(beyond)]}"
        )
    return column
