"""`create_app(settings)`: the FastAPI application with everything that a running service shares."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

import thetaline
from thetaline import logs
from thetaline.errors import SettingsError
from thetaline.irt.threads import available_processors
from thetaline.jobs.runner import prepare_database
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.service.bank_cache import BankCache
from thetaline.service.body_limits import MB, BodyLimits, BodyLimitsMiddleware
from thetaline.service.database import Database
from thetaline.service.fits.dispatcher import DispatchLimits, FitDispatcher
from thetaline.service.fits.runner import JobRunner, RunnerLimits
from thetaline.service.fits.temp_files import TempFiles
from thetaline.service.http_errors import DB_UNAVAILABLE, SHOWN_CHARS, SHOWN_ERRORS, ApiError
from thetaline.service.metrics import ServiceMetrics
from thetaline.service.openapi import ERRORS, openapi_document
from thetaline.service.rate_limit import RateLimits
from thetaline.service.request_log import RequestLogMiddleware, request_id_of
from thetaline.service.responses import error_response
from thetaline.service.routes import (
    cluster,
    forecast,
    glmm,
    growth,
    irt,
    items,
    jobs,
    learners,
    operation,
    reports,
    runs,
    survival,
)
from thetaline.service.services import Services
from thetaline.service.theta_updates import ThetaUpdates
from thetaline.service.tokens import REFRESH_SECS, TokenCache
from thetaline.settings import Settings, load, secret_now

DESCRIPTION = """Calibrate, link and score by item response theory, and read what the nightly runs published.

Every route but `/healthz`, `/readyz` and `/metrics` asks for a bearer token. The paths under `/v1` are versioned;
`/irt`, `/glmm`, `/growth`,
`/survival`, `/cluster`, `/prophet`, `/forecast` and `/jobs` are the same routes under the names of the contract."""
log = logs.get_logger(__name__)


def create_app(settings: Settings | None = None, *, anonymous: bool = False) -> FastAPI:
    """The application; `anonymous` serves a local caller without a token for as long as none was ever made."""
    settings = settings or load()
    metrics = ServiceMetrics()
    limits = BodyLimits(int(settings.service_max_body_mb * MB), settings.service_body_timeout_secs)
    app = FastAPI(
        title="thetaline",
        version=thetaline.__version__,
        description=DESCRIPTION,
        lifespan=_lifespan(settings, metrics, anonymous=anonymous),
        middleware=_layers(metrics, limits),
        exception_handlers={HTTPException: _http_error, RequestValidationError: _parameter_error},
        responses=ERRORS,
        openapi_url=None,  # it asks for a token, so it is a route of ours
    )
    app.include_router(operation.router)
    weekly = (growth.router, survival.router, cluster.router, forecast.router)
    contracted = (irt.router, jobs.router, glmm.router, *weekly)
    for versioned in (learners.router, reports.router, *contracted, items.router, runs.router):  # tried in this order
        app.include_router(versioned, prefix="/v1", generate_unique_id_function=_versioned_id)
    for unversioned in contracted:
        app.include_router(unversioned)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


def _layers(metrics: ServiceMetrics, limits: BodyLimits) -> list[Middleware]:
    """From the outside in."""
    return [Middleware(RequestLogMiddleware, metrics=metrics), Middleware(BodyLimitsMiddleware, limits=limits)]


def services_for(settings: Settings, metrics: ServiceMetrics, *, anonymous: bool) -> Services:
    """Everything that the routes share, not yet started."""
    # The embedded server is started and migrated here; another database may be away for now, /readyz tells.
    rotated = partial(secret_now, "database_url")
    database = Database(settings.database_url or prepare_database(settings), url_now=rotated)
    # What requests wait for must not keep a running fit from renewing its lease.
    queue = Database(database.url, connections=settings.service_workers + 1, url_now=rotated)
    temp_files, dispatcher = TempFiles(), FitDispatcher(_dispatch_limits(settings), metrics)
    internal = settings.r_irt_internal_token
    return Services(
        settings=settings,
        database=database,
        queue=queue,
        dispatcher=dispatcher,
        runner=JobRunner(queue, dispatcher, temp_files=temp_files, limits=_runner_limits(settings)),
        temp_files=temp_files,
        tokens=TokenCache(None if internal is None else internal.get_secret_value()),
        rates=RateLimits(settings.service_rate_per_sec),
        metrics=metrics,
        bank=BankCache(database),
        updates=ThetaUpdates(database, settings.mirt_lookback_days, SchoolCalendar(settings.time_zone)),
        anonymous=anonymous,
    )


def _dispatch_limits(settings: Settings) -> DispatchLimits:
    threads = max(1, available_processors() // settings.service_workers)
    return DispatchLimits(
        workers=settings.service_workers,
        waiting=settings.service_fit_queue,
        memory_mb=settings.service_worker_memory_mb,
        threads=threads,
    )


def _runner_limits(settings: Settings) -> RunnerLimits:
    return RunnerLimits(
        timeout_secs=settings.service_job_timeout_secs,
        most=settings.service_max_observations,
        at_once=max(1, settings.service_workers - 1),  # one process stays for small fits
        retention_days=settings.service_job_retention_days,
    )


def _lifespan(settings: Settings, metrics: ServiceMetrics, *, anonymous: bool):  # type: ignore[no-untyped-def]
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = services_for(settings, metrics, anonymous=anonymous)
        app.state.services = services
        services.database.open()
        services.queue.open()
        await _refresh_tokens(services)
        await services.dispatcher.start()
        services.runner.start()
        refreshing = asyncio.create_task(_keep_tokens_fresh(services))
        try:
            yield
        finally:
            refreshing.cancel()
            services.dispatcher.stop_replacing()
            await services.runner.close()
            await services.dispatcher.close()
            services.database.close()
            services.queue.close()
            services.temp_files.close()

    return lifespan


async def _keep_tokens_fresh(services: Services) -> None:
    while True:
        await asyncio.sleep(REFRESH_SECS)
        await _refresh_tokens(services)


async def _refresh_tokens(services: Services) -> None:
    """Whatever goes wrong leaves the tokens as they were last seen, until a later look succeeds."""
    _take_up_internal_token(services.tokens)
    try:
        await services.tokens.refresh(services.database)
    except (*DB_UNAVAILABLE, psycopg.errors.UndefinedTable) as error:
        log.warning("the tokens could not be read: the database is not available", kind=type(error).__name__)
    except Exception:  # the edge of the loop: if it ended, revoked tokens would work for ever
        log.exception("the tokens could not be read")


def _take_up_internal_token(tokens: TokenCache) -> None:
    """A rotated file holds from the next look on."""
    try:
        token = secret_now("r_irt_internal_token")
    except SettingsError as error:
        log.warning("the internal token stays as it was", reason=str(error))
        return
    if token is not None:
        tokens.set_internal(token)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  for the type checker
    told = ApiError(error.status_code, str(error.detail), headers=error.headers)
    return error_response(told, request_id_of(request.state))


async def _parameter_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  for the type checker
    shown = [
        {"loc": list(one["loc"]), "msg": one["msg"][:SHOWN_CHARS], "type": one["type"]}
        for one in error.errors()[:SHOWN_ERRORS]
    ]
    return error_response(ApiError(422, "a parameter is not valid", shown), request_id_of(request.state))


def _versioned_id(route: object) -> str:
    return f"v1_{getattr(route, 'name', '')}"
