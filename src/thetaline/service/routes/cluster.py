"""POST /cluster/fit."""

from fastapi import APIRouter, Request, Response

from thetaline.api import ClusterFitRequest, ClusterFitResponse
from thetaline.service import fit_submission
from thetaline.service.auth import Calibrates
from thetaline.service.openapi import request_body
from thetaline.service.request_body import content_type
from thetaline.service.responses import JSON
from thetaline.service.services import Shared

router = APIRouter(prefix="/cluster", tags=["segments"])


@router.post("/fit", openapi_extra=request_body(ClusterFitRequest), response_model=ClusterFitResponse)
async def cluster_fit(request: Request, services: Shared, who: Calibrates) -> Response:
    """Group learners by their features; no structure is an answer."""
    content_type(request, (JSON,))
    return await fit_submission.run_in_process(request, "cluster-fit", services=services, token_name=who.name)
