"""A span a request where OpenTelemetry's API is installed; who runs the process sets up where spans go."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thetaline.service.observing import route_of

INSTALLED = find_spec("opentelemetry") is not None


class Tracing:
    """ASGI middleware; continues the trace of the caller's `traceparent`."""

    def __init__(self, app: ASGIApp, tracer: Any = None) -> None:
        """`tracer` is the global one unless given."""
        from opentelemetry import trace  # noqa: PLC0415  optional

        self._app = app
        self._tracer = tracer or trace.get_tracer("thetaline.service")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request inside a span named by its route."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from opentelemetry import propagate, trace  # noqa: PLC0415  optional

        parent = propagate.extract(_headers(scope))
        kind = trace.SpanKind.SERVER
        with self._tracer.start_as_current_span(scope["method"], context=parent, kind=kind) as span:
            try:
                await self._app(scope, receive, _noting_status(send, span))
            finally:
                route = route_of(scope)
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.request.method", scope["method"])
                span.set_attribute("http.route", route)


def _noting_status(send: Send, span: Any) -> Send:
    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            span.set_attribute("http.response.status_code", message["status"])
        await send(message)

    return noting


def _headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
