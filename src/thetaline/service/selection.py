"""Information and next items, of a bank in a request or of the published one."""

import numpy as np
from numpy.typing import NDArray

from thetaline import irt
from thetaline.api import (
    InformationRequest,
    InformationResponse,
    ItemCurve,
    NextItemsRequest,
    NextItemsResponse,
    RankedItem,
)
from thetaline.api.base import named_items
from thetaline.service.http_errors import ApiError
from thetaline.service.scoring import bank_of

MAX_CELLS = 500_000  # items × abilities of one answer, 20 MB of JSON
# Gauss–Hermite for the weight exp(−x²/2): 15 nodes integrate the information of any item under a normal posterior.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)


def given_bank(request: InformationRequest | NextItemsRequest) -> irt.Items:
    """The items of the body. Raises a 413 for a body without, which is too large to ask for the published bank with."""
    if request.item_params is None:
        raise ApiError(413, "the body has too many parts for a question about the published bank")
    return bank_of(named_items(request.item_params))


def _chosen(bank: irt.Items, wanted: list[str]) -> irt.Items:
    known = set(bank.ids.tolist())
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ApiError(404, f"{len(unknown)} items are not published", unknown[:20])
    return bank.take(list(dict.fromkeys(wanted)))


def information_json(bank: irt.Items, request: InformationRequest) -> bytes:
    """The body of a 200: curves of each item and of all together. Raises 404, 413."""
    bank = bank if request.item_ids is None else _chosen(bank, request.item_ids)
    at = np.asarray(request.theta, dtype=np.float64)
    if len(bank) * len(at) > MAX_CELLS:
        raise ApiError(413, f"{len(bank)} items at {len(at)} abilities are more than {MAX_CELLS} numbers")
    info, score = bank.information(at), bank.expected_score(at)
    total = info.sum(axis=0)
    curves = zip(bank.ids.tolist(), info.tolist(), score.tolist(), strict=True)
    answer = InformationResponse(
        theta=at.tolist(),
        items=[ItemCurve(item_id=name, information=one, expected_score=mean) for name, one, mean in curves],
        test_information=total.tolist(),
        se=[float(1 / np.sqrt(value)) if value > 0 else None for value in total],
    )
    return answer.model_dump_json().encode()


def next_items_json(bank: irt.Items, request: NextItemsRequest) -> bytes:
    """The body of a 200."""
    return next_items(bank, request).model_dump_json().encode()


def next_items(bank: irt.Items, request: NextItemsRequest) -> NextItemsResponse:
    """The best of what is left; equal information keeps the bank's order."""
    info = posterior_information(bank, request.theta, request.se)
    left = np.flatnonzero(~np.isin(bank.ids.astype(str), np.array(request.answered, dtype=str)))
    best = left[np.argsort(-info[left], kind="stable")][: request.n]
    items = [RankedItem(item_id=str(bank.ids[i]), information=float(info[i])) for i in best]
    return NextItemsResponse(theta=request.theta, items=items)


def posterior_information(bank: irt.Items, theta: float, se: float | None) -> NDArray[np.float64]:
    """(I,) Fisher information at θ, or its mean under N(θ, se²)."""
    if se is None:
        return bank.information(np.array([theta]))[:, 0]
    return np.asarray(bank.information(theta + se * _NODES) @ (_WEIGHTS / _WEIGHTS.sum()))
