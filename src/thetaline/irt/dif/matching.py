"""Groups side by side among people of equal ability: counts by level, group and answer, for every item."""

from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array, Categories, Ints, Mask


class Table(NamedTuple):
    """People by ability level, group (0 reference, 1 focal) and answer (0 wrong, 1 right)."""

    people: Array  # (I, L, 2, 2)
    level: Array  # (L,) the ability that a level stands for


def by_sum_score(answers: Categories, counts: Array, focal: Mask, anchors: Mask) -> Table:
    """Match on the number right over the anchors and the item under study (see Holland & Thayer 1988).

    `answers` (n, I) are complete, 0 or 1; `counts` and `focal` (n,), `anchors` (I,).
    """
    n_items = answers.shape[1]
    score = answers[:, anchors].sum(axis=1, dtype=np.int64)
    people = np.zeros((n_items, n_items + 1, 2, 2))
    for i in range(n_items):
        level = score if anchors[i] else score + answers[:, i]
        people[i] = _counted(level, focal, answers[:, i], counts, n_items + 1)
    return Table(people, np.arange(n_items + 1, dtype=np.float64))


def _counted(level: Ints, focal: Mask, answer: Categories, counts: Array, n_levels: int) -> Array:
    cell = (level * 2 + focal) * 2 + answer
    people = np.bincount(cell, weights=counts, minlength=4 * n_levels)
    return people.astype(np.float64).reshape(n_levels, 2, 2)
