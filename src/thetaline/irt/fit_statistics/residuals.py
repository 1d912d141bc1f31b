"""What each person's ability predicts for each of their answers, item by item."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array, Index
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses


class Answers(NamedTuple):
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


def answers_by_item(items: Items, responses: Responses, theta: Array) -> Iterator[Answers]:
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
            person, one = responses.person[rows], batch.rows(np.array([row]))
            log_prob, curve = one.log_prob(theta[person])[0], one.at_nodes(theta[person])
            yield Answers(item, person, responses.answer[rows], log_prob, curve.s[0].T)
