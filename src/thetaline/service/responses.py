"""Responses whose body is JSON already, and those that tell of an error."""

from collections.abc import Mapping

from pydantic_core import to_json
from starlette.responses import Response

from thetaline.service.http_errors import ApiError

JSON = "application/json"


def json_response(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Bytes that are JSON."""
    return Response(body, status_code=status, media_type=JSON, headers=dict(headers or {}))


def error_response(error: ApiError, request_id: str | None) -> Response:
    """The contract's error body."""
    return json_response(to_json(error.body(request_id), fallback=str), status=error.status, headers=error.headers)
