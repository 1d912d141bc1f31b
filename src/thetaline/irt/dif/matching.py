"""Groups side by side among people of equal ability: counts by level, group and answer, for every item."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thetaline.errors import ResponsesError
from thetaline.irt._alignment import aligned
from thetaline.irt._coding import code_ids
from thetaline.irt._types import Array, Categories, Ints, Labelled, Mask
from thetaline.irt.responses import Responses


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


class TwoGroups(NamedTuple):
    """A reference and a focal group."""

    reference: object
    focal: object
    is_focal: Mask  # (N,)

    def size(self, responses: Responses, used: Mask, *, focal: bool) -> int:
        """Persons of one group among those used (N,), patterns counted as often as they occur."""
        return round(float(responses.counts[(self.is_focal == focal) & used].sum()))


def two_groups(responses: Responses, groups: Labelled, reference: object) -> TwoGroups:
    """Tell the two labels apart; without a `reference` it is the first label in sorted order, as in `calibrate`.

    Raises InputError for persons without a label, ResponsesError for another number of labels than persons, missing
    ones, and other than two distinct ones.
    """
    labels, code = code_ids(aligned(groups, responses.person_ids, "groups"), "groups")
    if len(code) != responses.n_persons:
        raise ResponsesError(f"groups has {len(code)} labels; it needs one for each of {responses.n_persons} persons")
    distinct: list[Any] = labels.tolist()
    if len(distinct) != 2:
        raise ResponsesError(f"DIF compares two groups, but there are {len(distinct)}: {distinct[:5]}")
    first = distinct[0] if reference is None else reference
    if first not in distinct:
        raise ResponsesError(f"reference = {reference!r} is no group label; the labels are {distinct}")
    focal = distinct[1] if first == distinct[0] else distinct[0]
    return TwoGroups(first, focal, code == distinct.index(focal))
