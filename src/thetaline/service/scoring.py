"""POST /irt/score: a request's items and answers as arrays, scored, as JSON."""

from collections.abc import Mapping
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from thetaline import irt
from thetaline.api.base import Params, named_items
from thetaline.api.calibration import Correct
from thetaline.api.scoring import KeyedResponse, ScoreRequest
from thetaline.service.faults import Fault

Rows = NDArray[np.intp]

# Microseconds of one core that an answer and a learner take; what takes longer than the last is not for the loop.
ANSWER_MICROSECS = {"EAP": 0.1, "MAP": 0.3, "WLE": 1.0}
LEARNER_MICROSECS = {"EAP": 1.5, "MAP": 2.0, "WLE": 3.0}
SHORT_MICROSECS = 20_000


def score_json(request: ScoreRequest, *, most: int) -> bytes:
    """The body of a 200. Raises 413, 422."""
    bank = bank_of(named_items(request.item_params))
    users, responses = _keyed(request, bank) if not request.positional else (None, _positional(request, bank))
    if responses.n_observations > most:
        raise Fault(413, f"{responses.n_observations} answers; at most {most} are scored in one request")
    scores = irt.score(responses, bank, method=request.method, prior=(request.prior.mean, request.prior.sd))
    return to_json({"status": "ok", "abilities": _abilities(users, scores)}, inf_nan_mode="null")


def is_long(request: ScoreRequest) -> bool:
    """Whether scoring takes so long that other requests would notice."""
    rows = request.responses
    n_answers = len(rows) * len(request.item_params) if request.positional else len(rows)
    n_learners = len(rows) if request.positional else len({row["user_id"] for row in cast("list[KeyedResponse]", rows)})
    method = request.method
    return ANSWER_MICROSECS[method] * n_answers + LEARNER_MICROSECS[method] * n_learners > SHORT_MICROSECS


def bank_of(items: Mapping[str, Params]) -> irt.Items:
    """The items as the library has them. Raises ItemsError."""
    d = [1.0 if one.d is None else one.d for one in items.values()]
    c = [0.0 if one.c is None else one.c for one in items.values()]
    models = [_model(one) for one in items.values()]
    return irt.Items(
        ids=list(items),
        model=models,
        a=[one.a for one in items.values()],
        b=[one.b for one in items.values()],
        c=[value if name in ("3PL", "4PL") else np.nan for name, value in zip(models, c, strict=True)],
        d=[value if name == "4PL" else np.nan for name, value in zip(models, d, strict=True)],
    )


def _model(item: Params) -> str:
    if item.d is not None:
        return "4PL"
    return "2PL" if item.c is None else "3PL"


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
    position = {name: number for number, name in enumerate(bank.ids.tolist())}
    names, items = [row["user_id"] for row in rows], [row["item_id"] for row in rows]
    _require_known(items, position)
    users = {name: number for number, name in enumerate(dict.fromkeys(names))}
    user = np.fromiter(map(users.__getitem__, names), dtype=np.intp, count=len(rows))
    item = np.fromiter(map(position.__getitem__, items), dtype=np.intp, count=len(rows))
    value = np.array([row["is_correct"] for row in rows], dtype=np.float32)  # None becomes NaN
    answered = np.flatnonzero(~np.isnan(value))
    pair, first = np.unique(user[answered] * len(bank) + item[answered], return_index=True)
    row, item = np.divmod(pair, len(bank))
    answer = value[answered[first]].astype(np.uint8)
    return list(users), _responses(len(users), bank, row=row, item=item, answer=answer)


def _require_known(items: list[str], position: Mapping[str, int]) -> None:
    unknown = dict.fromkeys(name for name in items if name not in position)
    if unknown:
        raise Fault(422, f"{len(unknown)} items of the responses are not in item_params", list(unknown)[:20])


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
