"""POST /growth/…: growth lines from answers, and goals."""

from fastapi import APIRouter, Request, Response

from thetaline.api import GrowthFitRequest, GrowthFitResponse, GrowthPredictRequest, GrowthPredictResponse
from thetaline.service import fit_submission
from thetaline.service.auth import Calibrates, Scores
from thetaline.service.openapi import request_body
from thetaline.service.request_body import content_type
from thetaline.service.responses import JSON
from thetaline.service.services import Shared

router = APIRouter(prefix="/growth", tags=["growth"])


@router.post("/fit", openapi_extra=request_body(GrowthFitRequest), response_model=GrowthFitResponse)
async def fit_growth(request: Request, services: Shared, who: Calibrates) -> Response:
    """Fit every learner's line, level now and slope a week, to answers on items that are held fixed."""
    content_type(request, (JSON,))
    return await fit_submission.run_in_process(request, "growth-fit", services=services, token_name=who.name)


@router.post("/predict", openapi_extra=request_body(GrowthPredictRequest), response_model=GrowthPredictResponse)
async def predict_growth(request: Request, services: Shared, who: Scores) -> Response:
    """Say where lines lead by a day, and how probably they reach goals; withheld beyond twice the observed span."""
    content_type(request, (JSON,))
    return await fit_submission.run_in_process(request, "growth-predict", services=services, token_name=who.name)
