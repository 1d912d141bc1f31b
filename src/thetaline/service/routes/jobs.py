"""GET and DELETE /jobs/{job_id}: large fits."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from thetaline.api import CalibrateResponse, Job
from thetaline.db import job_queue
from thetaline.db.job_queue import QueuedJob
from thetaline.service.auth import Calibrates
from thetaline.service.database import Database
from thetaline.service.http_errors import ApiError
from thetaline.service.responses import JSON
from thetaline.service.services import Shared

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("/{job_id}", response_model=Job)
async def job(job_id: UUID, services: Shared, _who: Calibrates) -> dict[str, Any]:
    """State, progress, and where the result is once it is there."""
    return _shown(await _found(services.database, job_id))


@router.get("/{job_id}/result", response_model=CalibrateResponse)
async def result(job_id: UUID, services: Shared, _who: Calibrates) -> StreamingResponse:
    """What the fit's request would have been answered with."""
    found = await _found(services.database, job_id)
    if found.state == "failed":
        raise ApiError(409, "the job failed", found.error)
    if found.state != "done":
        raise ApiError(409, f"the job is {found.state}", headers={"retry-after": "1"})
    return StreamingResponse(_chunks(services.database, job_id), media_type=JSON)


@router.delete("/{job_id}", response_model=Job)
async def cancel(job_id: UUID, services: Shared, _who: Calibrates) -> dict[str, Any]:
    """Cancel what is queued, end the process of what runs; what has ended stays as it is."""
    found = await services.database.run(job_queue.cancel_job, job_id)
    if found is None:
        raise _unknown(job_id)
    return _shown(found)


async def _found(database: Database, job_id: UUID) -> QueuedJob:
    found = await database.run(job_queue.get_job, job_id)
    if found is None:
        raise _unknown(job_id)
    return found


def _unknown(job_id: UUID) -> ApiError:
    return ApiError(404, f"there is no job {job_id}", "results are kept for SERVICE_JOB_RETENTION_DAYS")


def _shown(found: QueuedJob) -> dict[str, Any]:
    href = f"/jobs/{found.job_id}/result" if found.state == "done" else None
    return {**asdict(found), "result_href": href}


async def _chunks(database: Database, job_id: UUID) -> AsyncIterator[bytes]:
    number = 0
    while chunk := await database.run(job_queue.body_chunk, job_id, "result", number):
        yield chunk
        number += 1
