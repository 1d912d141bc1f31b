"""POST /glmm/…: mixed models of scores over weeks."""

from fastapi import APIRouter, Request, Response

from thetaline.api import FitProgressRequest, FitProgressResponse, PredictProgressRequest, PredictProgressResponse
from thetaline.service import fit_submission
from thetaline.service.auth import Calibrates, Scores
from thetaline.service.openapi import request_body
from thetaline.service.request_body import content_type
from thetaline.service.responses import JSON
from thetaline.service.services import Shared

router = APIRouter(prefix="/glmm", tags=["growth"])


@router.post("/fit_progress", openapi_extra=request_body(FitProgressRequest), response_model=FitProgressResponse)
async def fit_progress(request: Request, services: Shared, who: Calibrates) -> Response:
    """Fit a mixed model of scores; where the data do not carry the formula, a simpler one that is named."""
    content_type(request, (JSON,))
    return await fit_submission.run_in_process(request, "glmm-fit", services=services, token_name=who.name)


@router.post("/predict", openapi_extra=request_body(PredictProgressRequest), response_model=PredictProgressResponse)
async def predict_progress(request: Request, services: Shared, who: Scores) -> Response:
    """Predict scores of new rows by a model that was fitted before."""
    content_type(request, (JSON,))
    return await fit_submission.run_in_process(request, "glmm-predict", services=services, token_name=who.name)
