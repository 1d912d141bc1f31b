"""POST /prophet/fit and /forecast/summary."""

from fastapi import APIRouter, Request, Response

from thetaline.api import ForecastRequest, ForecastResponse, ForecastSummaryResponse
from thetaline.service import fit_submission
from thetaline.service.auth import Calibrates
from thetaline.service.openapi import request_body
from thetaline.service.request_body import content_type
from thetaline.service.responses import JSON
from thetaline.service.services import Shared

router = APIRouter(tags=["forecast"])


@router.post("/prophet/fit", openapi_extra=request_body(ForecastRequest), response_model=ForecastResponse)
async def prophet_fit(request: Request, services: Shared, who: Calibrates) -> Response:
    """Forecast weekly series, test their newest week against the ones before, and find changes of level."""
    content_type(request, (JSON,))
    return await fit_submission.run_in_process(request, "prophet-fit", services=services, token_name=who.name)


@router.post("/forecast/summary", openapi_extra=request_body(ForecastRequest), response_model=ForecastSummaryResponse)
async def forecast_summary(request: Request, services: Shared, who: Calibrates) -> Response:
    """Forecast weekly series, a line a series: the next week, the change ahead, whether the newest week is odd."""
    content_type(request, (JSON,))
    return await fit_submission.run_in_process(request, "forecast-summary", services=services, token_name=who.name)
