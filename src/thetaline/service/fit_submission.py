"""A fit that a request asks for: at once, or as a job in the queue."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from fastapi import Request
from pydantic_core import to_json
from starlette.responses import Response

from thetaline.api import JobAccepted
from thetaline.db import job_queue
from thetaline.service.body_limits import MB
from thetaline.service.fits.process import Task
from thetaline.service.fits.temp_files import chunks, store
from thetaline.service.http_errors import ApiError, busy
from thetaline.service.responses import JSON, json_response
from thetaline.service.services import Services


@dataclass(frozen=True, slots=True)
class FitRequest:
    """What a request asks a fit process to do."""

    kind: str
    content_type: str
    options: Mapping[str, str]
    token_name: str
    request_key: str | None = None  # under which the client may ask for the same job again


async def submit(request: Request, services: Services, wanted: FitRequest) -> Response:
    """200 with the result, or 202 with a job for a large body or one that prefers so."""
    with services.temp_files.file() as body:
        size = await store(body, request.stream())
        if _is_large(request, size, services):
            return await _enqueue(body, services, wanted)
        return await _run_now(request, body, services=services, wanted=wanted)


async def run_in_process(request: Request, kind: str, *, services: Services, token_name: str) -> Response:
    """A JSON body that takes long, worked off by a process: the loop goes on to serve the others."""
    with services.temp_files.file() as body:
        await asyncio.to_thread(body.write_bytes, await request.body())
        return await _run_now(request, body, services=services, wanted=FitRequest(kind, JSON, {}, token_name))


def _is_large(request: Request, size: int, services: Services) -> bool:
    prefers = request.headers.get("prefer", "").lower()
    return "respond-async" in prefers or size > services.settings.service_large_mb * MB


async def _enqueue(body: Path, services: Services, wanted: FitRequest) -> Response:
    job_id = await services.database.run(_add, body, wanted, services.settings.service_max_jobs)
    services.runner.wake()
    href = f"/jobs/{job_id}"
    accepted = JobAccepted(job_id=job_id, href=href)
    return json_response(to_json(accepted), status=202, headers={"location": href, "retry-after": "1"})


def _add(conn: psycopg.Connection[Any], body: Path, wanted: FitRequest, most: int) -> Any:
    counts = job_queue.count_jobs(conn)
    if counts.get("queued", 0) + counts.get("running", 0) >= most:
        raise busy(f"{most} large fits wait or run already", retry_after_secs=30)
    return job_queue.add_job(
        conn,
        chunks(body),
        kind=wanted.kind,
        token_name=wanted.token_name,
        content_type=wanted.content_type,
        options=wanted.options,
        request_key=wanted.request_key,
    )


async def _run_now(request: Request, body: Path, *, services: Services, wanted: FitRequest) -> Response:
    """The fit, as long as somebody waits for it: a client that goes away frees its process."""
    fit = asyncio.create_task(_answered(body, services, wanted))
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({fit, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not fit.done():
            raise ApiError(499, "the client went away")
        return await fit
    finally:
        for task in (fit, gone):
            task.cancel()
        await asyncio.gather(fit, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _answered(body: Path, services: Services, wanted: FitRequest) -> Response:
    settings = services.settings
    with services.temp_files.file() as result:
        task = Task(
            wanted.kind, str(body), str(result), wanted.content_type, wanted.options, settings.service_max_observations
        )
        await services.dispatcher.run(task, timeout_secs=settings.service_fit_timeout_secs)
        return json_response(await asyncio.to_thread(result.read_bytes))
