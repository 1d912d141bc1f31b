"""What each person's ability predicts for each of their answers, item by item."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import ResponsesError
from thetaline.irt._types import Array, Categories, Index
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses


class ItemAnswers(NamedTuple):
    """The n answers to one item and the model's view of them at the abilities of those who gave them."""

    item: int  # position in the bank
    person: NDArray[np.integer]  # (n,)
    answer: NDArray[np.integer]  # (n,)
    log_prob: Array  # (K, n)
    d_theta: Array  # (K, n) ∂ log_prob / ∂θ

    @property
    def given(self) -> tuple[Index, Index]:
        """Index of the categories that were given in a (K, n) table."""
        return self.answer.astype(np.intp), np.arange(self.answer.size)

    def central_moments(self) -> tuple[Array, Array, Array]:
        """Expected score, variance and fourth central moment of the score 0 … K−1, each (n,)."""
        p = np.exp(self.log_prob)
        k = np.arange(p.shape[0], dtype=np.float64)
        mean = k @ p
        squared = np.square(k[:, None] - mean)
        return mean, np.sum(p * squared, axis=0), np.sum(p * squared**2, axis=0)


def answers_by_item(items: Items, responses: Responses, theta: Array) -> Iterator[ItemAnswers]:
    """Walk over the items of the bank that were answered; persons without a finite θ are left out."""
    order = np.argsort(responses.item, kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(responses.item, minlength=responses.n_items))])
    column = {name: position for position, name in enumerate(responses.item_ids.tolist())}
    for batch in items.batches():
        for row, item in enumerate(batch.index.tolist()):
            at = column.get(items.ids[item])
            if at is None:
                continue
            rows = order[edges[at] : edges[at + 1]]
            rows = rows[np.isfinite(theta[responses.person[rows]])]
            person, one = responses.person[rows], batch.item(row)
            log_prob, curve = one.log_prob(theta[person])[0], one.at_nodes(theta[person])
            yield ItemAnswers(item, person, responses.answer[rows], log_prob, curve.s[0].T)


class Complete(NamedTuple):
    """n complete persons (patterns)."""

    answers: Categories  # (n, I), columns in the order of the bank
    counts: Array  # (n,)
    person: Index  # (n,) their rows in the responses


def complete_persons(items: Items, responses: Responses) -> Complete:
    """Leave out whoever lacks an answer to an item of the bank; all answers are to items of the bank.

    Raises ResponsesError for an answer beyond an item's categories.
    """
    refuse_unknown_categories(items.take(responses.item_ids), responses)
    answered = np.diff(responses.indptr)
    rows = np.flatnonzero(answered == len(items))
    if not rows.size:
        return Complete(np.zeros((0, len(items)), dtype=np.uint8), responses.counts[rows], rows)
    taken = (
        responses.answer if rows.size == answered.size else responses.answer[(answered == len(items))[responses.person]]
    )
    # ItemAnswers are sorted by item within a person, in the order of the responses' items.
    column = np.argsort(items.positions(responses.item_ids))
    return Complete(taken.reshape(rows.size, len(items))[:, column], responses.counts[rows], rows)


def refuse_unknown_categories(answered: Items, responses: Responses) -> None:
    """Raise ResponsesError for an answer beyond its item's categories; `answered` in the order of the responses."""
    if responses.answer.max(initial=0) < answered.n_categories.min():
        return
    beyond = responses.answer >= answered.n_categories[responses.item]
    if beyond.any():
        item, answer = responses.item[np.argmax(beyond)], responses.answer[np.argmax(beyond)]
        raise ResponsesError(
            f"item {responses.item_ids[item]!r} has the categories 0 … {answered.n_categories[item] - 1}, "
            f"but an answer is {answer}"
        )
