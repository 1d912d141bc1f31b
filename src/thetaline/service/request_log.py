"""The outermost layer: request ids, one log line a request, metrics, and an answer to every exception."""

import random
import re
import time
from typing import Any

import structlog
from fastapi.exceptions import ResponseValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thetaline import logs
from thetaline.service.http_errors import ApiError, api_error_of
from thetaline.service.metrics import ServiceMetrics
from thetaline.service.responses import error_response

ID_HEADER = b"x-request-id"
VERSION = "/v1"
QUIET = ("/healthz", "/readyz", "/metrics")  # asked every few seconds by machines
_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECURITY_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
log = logs.get_logger(__name__)


class RequestLogMiddleware:
    """ASGI middleware; a client's request id is kept if it is a plain one."""

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics) -> None:
        """`app` is what it watches."""
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, answer = time.perf_counter(), _ResponseSender(send, request_id)
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:  # noqa: BLE001  the edge of a request: every exception is an answer
            await _answer_error(error, scope, receive, answer)
        finally:
            self._record(scope, answer, time.perf_counter() - started)

    def _record(self, scope: Scope, answer: "_ResponseSender", seconds: float) -> None:
        route = route_of(scope)
        status = answer.status or 499  # 499: the client went away before there was an answer
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        self._metrics.request_secs.labels(route).observe(seconds)
        # The route, not the path: paths carry learners' ids.
        (log.debug if route in QUIET else log.info)(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            client=scope["state"].get("token"),
        )


class _ResponseSender:
    """Passes the answer on with our headers, and remembers whether it has begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._headers = send, [(ID_HEADER, request_id.encode()), *_SECURITY_HEADERS]
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], *self._headers]}
        await self._send(message)


async def _answer_error(error: Exception, scope: Scope, receive: Receive, answer: _ResponseSender) -> None:
    told = api_error_of(error)
    if told is None:
        _log_defect(error)
        told = ApiError(500, "a defect of the service; its log has the trace under the request id")
    if answer.status is not None:
        raise error  # too late for an answer: the server cuts the connection, so that nobody takes a part for the whole
    await error_response(told, scope["state"]["request_id"])(scope, receive, answer.send)


def _log_defect(error: Exception) -> None:
    if isinstance(error, ResponseValidationError):  # its text repeats the reply, and with it a learner's data
        log.error("a reply breaks its own schema", faults=[(one["loc"], one["type"]) for one in error.errors()])
    else:
        log.error("a request met a defect", exc_info=error)


def route_of(scope: Scope) -> str:
    """The template, so that there are as many labels as routes; the router leaves a prefix out of it."""
    path: str = getattr(scope.get("route"), "path", "unmatched")
    versioned = scope["path"].startswith(f"{VERSION}/") and not path.startswith(VERSION)
    return f"{VERSION}{path}" if versioned and path != "unmatched" else path


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == ID_HEADER), b"").decode("latin-1")
    # No secret: a plain generator will do, and it needs no system call.
    return given if _GOOD_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def request_id_of(state: Any) -> str | None:
    """The id of the request whose state this is."""
    return getattr(state, "request_id", None)
