"""POST /irt/…: calibrate, score, link, information, next items."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from thetaline import irt
from thetaline.api import (
    CalibrateRequest,
    CalibrateResponse,
    InformationRequest,
    InformationResponse,
    JobAccepted,
    LinkRequest,
    LinkResponse,
    NextItemsRequest,
    NextItemsResponse,
    ScoreRequest,
    ScoreResponse,
)
from thetaline.api.base import DichotomousModel
from thetaline.service import fit_submission, selection
from thetaline.service.auth import Calibrates, Scores
from thetaline.service.fits.calibration_body import ARROW, NDJSON, PARQUET, READERS
from thetaline.service.json_limits import QUICK_BANK, QUICK_ROWS
from thetaline.service.linking import link_json
from thetaline.service.openapi import request_body
from thetaline.service.request_body import content_type
from thetaline.service.responses import JSON, json_response
from thetaline.service.scoring import scoring_input
from thetaline.service.services import Services, Shared

LARGE_SCORE_BYTES = 4_000_000  # 20 ms of parsing; a larger one is worked off by a fit process
LARGE_LINK_BYTES = 20_000  # some 200 items, 50 ms in a thread beside the loop
_ROWS = {
    NDJSON: "one observation a line; a first line with `model` or `anchors` is the header",
    PARQUET: "columns user_id, item_id, is_correct, responded_at?; `?model=` names the model",
    ARROW: "an IPC stream with the columns of Parquet",
}
RequestKey = Annotated[
    str | None,
    Header(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="a request that comes again under it gets the same job"),
]
router = APIRouter(prefix="/irt", tags=["irt"])


@router.post(
    "/calibrate",
    openapi_extra=request_body(CalibrateRequest, _ROWS),
    response_model=CalibrateResponse,
    responses={202: {"model": JobAccepted, "description": "A large fit, or Prefer: respond-async; see `Location`."}},
)
async def calibrate(
    request: Request,
    services: Shared,
    who: Calibrates,
    model: DichotomousModel | None = None,
    idempotency_key: RequestKey = None,
) -> Response:
    """Fit the model, link to the anchors, score the learners.

    A body above SERVICE_LARGE_MB, or a request with `Prefer: respond-async`, is answered by 202 and a job.
    """
    kind = content_type(request, tuple(READERS))
    options = {} if model is None else {"model": model}
    wanted = fit_submission.FitRequest("calibrate", kind, options, who.name, idempotency_key)
    return await fit_submission.submit(request, services, wanted)


@router.post("/score", openapi_extra=request_body(ScoreRequest), response_model=ScoreResponse)
async def score(request: Request, services: Shared, who: Scores) -> Response:
    """Abilities on fixed item parameters: EAP, or MAP or WLE; positional or keyed."""
    content_type(request, (JSON,))
    body = await request.body()
    if len(body) > LARGE_SCORE_BYTES or not QUICK_ROWS.hold(body):
        return await fit_submission.run_in_process(request, "score", services=services, token_name=who.name)
    found = scoring_input(ScoreRequest.model_validate_json(body), most=services.settings.service_max_observations)
    if found.is_long:
        return await fit_submission.run_in_process(request, "score", services=services, token_name=who.name)
    return json_response(found.scored())


@router.post("/link", openapi_extra=request_body(LinkRequest), response_model=LinkResponse)
async def link(request: Request, services: Shared, who: Scores) -> Response:
    """The transformation that puts `new` on the scale of `reference`, with its standard errors."""
    content_type(request, (JSON,))
    body = await request.body()
    if len(body) > LARGE_LINK_BYTES:
        return await fit_submission.run_in_process(request, "link", services=services, token_name=who.name)
    return json_response(await asyncio.to_thread(link_json, LinkRequest.model_validate_json(body)))


@router.post("/information", openapi_extra=request_body(InformationRequest), response_model=InformationResponse)
async def information(request: Request, services: Shared, who: Scores) -> Response:
    """Information and expected score over θ, of items in the body or of the published bank."""
    content_type(request, (JSON,))
    body = await request.body()
    if not QUICK_BANK.hold(body):
        return await fit_submission.run_in_process(request, "information", services=services, token_name=who.name)
    payload = InformationRequest.model_validate_json(body)
    bank = await _bank_for(payload, services)
    return json_response(await asyncio.to_thread(selection.information_json, bank, payload))


@router.post("/next-items", openapi_extra=request_body(NextItemsRequest), response_model=NextItemsResponse)
async def next_items(request: Request, services: Shared, who: Scores) -> Response:
    """The items that tell most at θ, or under the posterior N(θ, se²)."""
    content_type(request, (JSON,))
    body = await request.body()
    if not QUICK_BANK.hold(body):
        return await fit_submission.run_in_process(request, "next-items", services=services, token_name=who.name)
    payload = NextItemsRequest.model_validate_json(body)
    return json_response(selection.next_items_json(await _bank_for(payload, services), payload))


async def _bank_for(payload: InformationRequest | NextItemsRequest, services: Services) -> irt.Items:
    """The bank of the request, else the published one. Raises a 404."""
    return await services.bank.items() if payload.item_params is None else selection.given_bank(payload)
