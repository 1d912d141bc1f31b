"""Answers that are JSON already, files, and faults."""

from collections.abc import Mapping

from pydantic_core import to_json
from starlette.responses import Response

from thetaline.service.faults import Fault

JSON = "application/json"


def json_response(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Bytes that are JSON."""
    return Response(body, status_code=status, media_type=JSON, headers=dict(headers or {}))


def error_response(fault: Fault, request_id: str | None) -> Response:
    """The contract's error body."""
    return json_response(to_json(fault.body(request_id), fallback=str), status=fault.status, headers=fault.headers)
