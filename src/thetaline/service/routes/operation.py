"""GET /healthz, /readyz, /metrics: without a token; /docs and /openapi.json: with any."""

from typing import Any

import psycopg
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from prometheus_client import CONTENT_TYPE_LATEST

from thetaline.api import Health, Readiness
from thetaline.db import check_migrated, queries
from thetaline.errors import MigrationError
from thetaline.service.auth import Known
from thetaline.service.database import Database
from thetaline.service.http_errors import DB_UNAVAILABLE
from thetaline.service.openapi import docs_page, openapi_document
from thetaline.service.services import Shared

CONTRACT_VERSION = "1.0.0"  # of the HTTP contract; the package has its own
OK = "ok"
STATE_SECS = 3.0  # a probe and a scrape go away after a few
router = APIRouter(tags=["operation"])


@router.get("/healthz")
async def healthz(services: Shared) -> Health:
    """The process answers."""
    return Health(service=services.settings.service_name, version=CONTRACT_VERSION)


@router.get(
    "/readyz", responses={503: {"model": Readiness, "description": "Not in full; the body says what is wrong."}}
)
async def readyz(services: Shared, response: Response) -> Readiness:
    """Whether requests can be served in full: database, migrations, fit processes; and which run is published."""
    database, migrations, published = await _state_of(services.database)
    ready = database == migrations == OK and services.dispatcher.alive > 0
    response.status_code = 200 if ready else 503
    return Readiness(
        status="ready" if ready else "not ready",
        database=database,
        migrations=migrations,
        published_run=published,
        workers=services.dispatcher.alive,
    )


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(services: Shared) -> Response:
    """Prometheus' text format."""
    await services.refresh_gauges()
    return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, _who: Known) -> dict[str, Any]:
    """The document, for programs."""
    return openapi_document(request.app)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request, _who: Known) -> HTMLResponse:
    """The document, for people."""
    return docs_page(openapi_document(request.app))


async def _state_of(database: Database) -> tuple[str, str, str | None]:
    try:
        return OK, OK, await database.run_within(STATE_SECS, _published_run)
    except MigrationError as error:
        return OK, str(error), None
    except DB_UNAVAILABLE as error:
        # The class only: the text of a driver may carry addresses, and this answer needs no token.
        return f"not available ({type(error).__name__})", "not known", None


def _published_run(conn: psycopg.Connection[Any]) -> str | None:
    check_migrated(conn)
    return queries.newest_published_run(conn)
