"""The persons who answered every item of the bank, as a matrix: what sum scores and moments are made of."""

from typing import NamedTuple

import numpy as np

from thetaline.errors import ResponsesError
from thetaline.irt._types import Array, Categories, Index
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses


class Complete(NamedTuple):
    """n complete persons (patterns)."""

    answers: Categories  # (n, I), columns in the order of the bank
    counts: Array  # (n,)
    person: Index  # (n,) their rows in the responses


def complete_persons(items: Items, responses: Responses) -> Complete:
    """Leave out whoever lacks an answer to an item of the bank; all answers are to items of the bank.

    Raises ResponsesError for an answer beyond an item's categories.
    """
    _refuse_unknown_categories(items.take(responses.item_ids), responses)
    answered = np.diff(responses.indptr)
    rows = np.flatnonzero(answered == len(items))
    if not rows.size:
        return Complete(np.zeros((0, len(items)), dtype=np.uint8), responses.counts[rows], rows)
    taken = (
        responses.answer if rows.size == answered.size else responses.answer[(answered == len(items))[responses.person]]
    )
    # Answers are sorted by item within a person, in the order of the responses' items.
    column = np.argsort(items.positions(responses.item_ids))
    return Complete(taken.reshape(rows.size, len(items))[:, column], responses.counts[rows], rows)


def _refuse_unknown_categories(answered: Items, responses: Responses) -> None:
    if responses.answer.max(initial=0) < answered.n_categories.min():
        return
    beyond = responses.answer >= answered.n_categories[responses.item]
    if beyond.any():
        item, answer = responses.item[np.argmax(beyond)], responses.answer[np.argmax(beyond)]
        raise ResponsesError(
            f"item {responses.item_ids[item]!r} has the categories 0 … {answered.n_categories[item] - 1}, "
            f"but an answer is {answer}"
        )
