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
from thetaline.service.answers import JSON, json_response
from thetaline.service.bounding import MB
from thetaline.service.faults import Fault, busy
from thetaline.service.fits.spool import chunks, store
from thetaline.service.fits.task import Task
from thetaline.service.services import Services


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks a fit process to do."""

    kind: str
    content_type: str
    options: Mapping[str, str]
    token_name: str
    request_key: str | None = None  # under which the client may ask for the same job again


async def submit(request: Request, services: Services, asked: Asked) -> Response:
    """200 with the result, or 202 with a job for a large body or one that prefers so."""
    with services.spool.file() as body:
        size = await store(body, request.stream())
        if _is_large(request, size, services):
            return await _queued(body, services, asked)
        return await _at_once(request, body, services=services, asked=asked)


async def away(request: Request, kind: str, *, services: Services, token_name: str) -> Response:
    """A JSON body that takes long, worked off by a process: the loop goes on to serve the others."""
    with services.spool.file() as body:
        await asyncio.to_thread(body.write_bytes, await request.body())
        return await _at_once(request, body, services=services, asked=Asked(kind, JSON, {}, token_name))


def _is_large(request: Request, size: int, services: Services) -> bool:
    prefers = request.headers.get("prefer", "").lower()
    return "respond-async" in prefers or size > services.settings.service_large_mb * MB


async def _queued(body: Path, services: Services, asked: Asked) -> Response:
    job_id = await services.database.run(_add, body, asked, services.settings.service_max_jobs)
    services.runner.wake()
    href = f"/jobs/{job_id}"
    accepted = JobAccepted(job_id=job_id, href=href)
    return json_response(to_json(accepted), status=202, headers={"location": href, "retry-after": "1"})


def _add(conn: psycopg.Connection[Any], body: Path, asked: Asked, most: int) -> Any:
    counts = job_queue.count_jobs(conn)
    if counts.get("queued", 0) + counts.get("running", 0) >= most:
        raise busy(f"{most} large fits wait or run already", retry_after_secs=30)
    return job_queue.add_job(
        conn,
        chunks(body),
        kind=asked.kind,
        token_name=asked.token_name,
        content_type=asked.content_type,
        options=asked.options,
        request_key=asked.request_key,
    )


async def _at_once(request: Request, body: Path, *, services: Services, asked: Asked) -> Response:
    """The fit, as long as somebody waits for it: a client that goes away frees its process."""
    fit = asyncio.create_task(_answered(body, services, asked))
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({fit, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not fit.done():
            raise Fault(499, "the client went away")
        return await fit
    finally:
        for task in (fit, gone):
            task.cancel()
        await asyncio.gather(fit, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _answered(body: Path, services: Services, asked: Asked) -> Response:
    settings = services.settings
    with services.spool.file() as result:
        task = Task(
            asked.kind, str(body), str(result), asked.content_type, asked.options, settings.service_max_observations
        )
        await services.pool.run(task, timeout_secs=settings.service_fit_timeout_secs)
        return json_response(await asyncio.to_thread(result.read_bytes))
