"""Part of a set of responses: some persons, or some items."""

import numpy as np

from thetaline.irt._types import Mask
from thetaline.irt.responses import Responses


def persons_of(responses: Responses, chosen: Mask) -> Responses:
    """The answers of some persons (N,); all items stay."""
    rows, taken = np.flatnonzero(chosen), chosen[responses.person]
    indptr = np.concatenate([[0], np.cumsum(np.diff(responses.indptr)[rows])])
    answers = responses.item[taken], responses.answer[taken]
    return Responses(responses.person_ids[rows], responses.item_ids, indptr, *answers, responses.counts[rows])


def items_of(responses: Responses, chosen: Mask) -> Responses:
    """The answers to some items (I,); all persons stay, also those without an answer left."""
    if chosen.all():
        return responses
    taken, position = chosen[responses.item], np.cumsum(chosen) - 1
    n_answers = np.bincount(responses.person[taken], minlength=responses.n_persons)
    return Responses(
        responses.person_ids,
        responses.item_ids[chosen],
        np.concatenate([[0], np.cumsum(n_answers)]),
        position[responses.item[taken]].astype(np.int32),
        responses.answer[taken],
        responses.counts,
    )
