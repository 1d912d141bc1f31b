"""The ledger, to read."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from thetaline.api import LedgerRun, RunPage
from thetaline.db import queries
from thetaline.service.auth import ReadsAll
from thetaline.service.http_errors import ApiError
from thetaline.service.services import Shared

router = APIRouter(prefix="/runs", tags=["runs"])
RunId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Job = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("", response_model=RunPage)
async def runs(services: Shared, _who: ReadsAll, limit: Limit = 50, job: Job = None) -> dict[str, Any]:
    """The newest runs."""
    return {"runs": await services.database.run(queries.runs, limit, job)}


@router.get("/{run_id}", response_model=LedgerRun)
async def run(run_id: RunId, services: Shared, _who: ReadsAll) -> dict[str, Any]:
    """One run with what the publication gate said."""
    found = await services.database.run(queries.run, run_id)
    if found is None:
        raise ApiError(404, f"there is no run {run_id!r}")
    return found
