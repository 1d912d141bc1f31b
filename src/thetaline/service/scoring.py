"""POST /irt/score: a request's items and answers as arrays, scored, as JSON."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from operator import itemgetter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from thetaline import irt
from thetaline.api.base import Params, named_items
from thetaline.api.calibration import Correct
from thetaline.api.scoring import KeyedResponse, ScoreRequest
from thetaline.jobs.item_params import items_of_params
from thetaline.service.http_errors import ApiError

Rows = NDArray[np.intp]

# Microseconds of one core that an answer and a learner take; what takes longer than the last is not for the loop.
ANSWER_MICROSECS = {"EAP": 0.1, "MAP": 0.3, "WLE": 1.0}
LEARNER_MICROSECS = {"EAP": 1.5, "MAP": 2.0, "WLE": 3.0}
SHORT_MICROSECS = 20_000
# Of the families that give each item a slope of its own, by whether they have c and d: a body names no model.
_MODELS = {(one.has_c, one.has_d): one.name for one in irt.FAMILIES.values() if not (one.polytomous or one.tied)}


@dataclass(frozen=True, slots=True, eq=False)
class ScoringInput:
    """A request's answers as arrays; `users` is None for a matrix, whose learners have no names."""

    users: list[str] | None
    responses: irt.Responses
    bank: irt.Items
    method: str
    prior: tuple[float, float]

    @property
    def is_long(self) -> bool:
        """Whether scoring takes so long that other requests would notice."""
        answers, learners = self.responses.n_observations, self.responses.n_persons
        micros = ANSWER_MICROSECS[self.method] * answers + LEARNER_MICROSECS[self.method] * learners
        return micros > SHORT_MICROSECS

    def scored(self) -> bytes:
        """The body of a 200."""
        scores = irt.score(self.responses, self.bank, method=self.method, prior=self.prior)
        return to_json({"status": "ok", "abilities": _abilities(self.users, scores)}, inf_nan_mode="null")


def scoring_input(request: ScoreRequest, *, most: int) -> ScoringInput:
    """What the request asks. Raises 413, 422."""
    bank = bank_of(named_items(request.item_params))
    users, responses = (None, _positional(request, bank)) if request.positional else _keyed(request, bank)
    if responses.n_observations > most:
        raise ApiError(413, f"{responses.n_observations} answers; at most {most} are scored in one request")
    return ScoringInput(users, responses, bank, request.method, (request.prior.mean, request.prior.sd))


def bank_of(items: Mapping[str, Params]) -> irt.Items:
    """The items as the library has them. Raises ItemsError."""
    models = [_MODELS[one.c is not None or one.d is not None, one.d is not None] for one in items.values()]
    return items_of_params(list(items), models, [vars(one) for one in items.values()])


def _positional(request: ScoreRequest, bank: irt.Items) -> irt.Responses:
    row, item, answer = cells(cast("list[list[Correct]]", request.responses))
    return _responses(len(request.responses), bank, row=row, item=item, answer=answer)


def cells(matrix: list[list[Correct]]) -> tuple[Rows, Rows, NDArray[np.uint8]]:
    """Row, column and value of every answered cell, row by row."""
    # None becomes NaN in a float array: one pass in C.
    values = np.array(matrix, dtype=np.float32)
    row, item = np.nonzero(~np.isnan(values))
    return row, item, values[row, item].astype(np.uint8)


def _keyed(request: ScoreRequest, bank: irt.Items) -> tuple[list[str], irt.Responses]:
    """Learners in the order of first appearance; of several answers to one item the first counts."""
    rows = cast("list[KeyedResponse]", request.responses)
    users: defaultdict[str, int] = defaultdict(count().__next__)
    user = _column(rows, "user_id", users)
    item = _items(rows, bank)
    value = _column(rows, "is_correct", _VALUES)
    answered = np.flatnonzero(value >= 0)
    pair, first = _first_of_each(user[answered] * len(bank) + item[answered])
    row, item = np.divmod(pair, len(bank))
    answer = value[answered[first]].astype(np.uint8)
    return list(users), _responses(len(users), bank, row=row, item=item, answer=answer)


_VALUES = {True: 1, False: 0, None: -1}


def _column(rows: list[KeyedResponse], name: str, codes: Mapping[Any, int]) -> Rows:
    """Every row's field as its code; nothing is made on the way, for a request has tens of thousands of rows."""
    return np.fromiter(map(codes.__getitem__, map(itemgetter(name), rows)), dtype=np.intp, count=len(rows))


def _items(rows: list[KeyedResponse], bank: irt.Items) -> Rows:
    """Every row's place in the bank. Raises a 422 that names what the bank lacks."""
    position = {name: number for number, name in enumerate(bank.ids.tolist())}
    try:
        return _column(rows, "item_id", position)
    except KeyError:
        unknown = list(dict.fromkeys(row["item_id"] for row in rows if row["item_id"] not in position))
        raise ApiError(422, f"{len(unknown)} items of the responses are not in item_params", unknown[:20]) from None


def _first_of_each(codes: Rows) -> tuple[Rows, Rows | slice]:
    """Distinct codes, ascending, and where each comes first; most requests come sorted and without repeats."""
    if (np.diff(codes) > 0).all():
        return codes, slice(None)
    return np.unique(codes, return_index=True)


def _responses(n: int, bank: irt.Items, *, row: Rows, item: Rows, answer: NDArray[np.uint8]) -> irt.Responses:
    """Answers that are sorted by row, as the library has them."""
    return irt.Responses(
        person_ids=np.arange(n).astype(object),
        item_ids=bank.ids,
        indptr=np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64),
        item=item.astype(np.int32),
        answer=answer,
        counts=np.ones(n),
    )


def _abilities(users: list[str] | None, scores: irt.Scores) -> list[dict[str, object]]:
    pairs = zip(scores.theta.tolist(), scores.se.tolist(), strict=True)
    if users is None:
        return [{"theta": theta, "se": se} for theta, se in pairs]
    return [{"user_id": user, "theta": theta, "se": se} for user, (theta, se) in zip(users, pairs, strict=True)]
