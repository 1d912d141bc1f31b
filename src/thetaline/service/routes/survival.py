"""POST /survival/fit."""

from fastapi import APIRouter, Request, Response

from thetaline.api import SurvivalFitRequest, SurvivalFitResponse
from thetaline.service import fit_submission
from thetaline.service.auth import Calibrates
from thetaline.service.openapi import request_body
from thetaline.service.request_body import content_type
from thetaline.service.responses import JSON
from thetaline.service.services import Shared

router = APIRouter(prefix="/survival", tags=["churn"])


@router.post("/fit", openapi_extra=request_body(SurvivalFitRequest), response_model=SurvivalFitResponse)
async def survival_fit(request: Request, services: Shared, who: Calibrates) -> Response:
    """Fit the hazard of falling silent to days of answers, and tell the risk of everybody who is still there."""
    content_type(request, (JSON,))
    return await fit_submission.run_in_process(request, "survival-fit", services=services, token_name=who.name)
