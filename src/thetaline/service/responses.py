"""Responses whose body is JSON already, and those that tell of an error."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json
from starlette.responses import Response

from thetaline.service.http_errors import ApiError

JSON = "application/json"


def finite_rows(columns: Mapping[str, NDArray[np.float64]], n: int) -> list[dict[str, float]]:
    """Of `n` rows what is a number, by its column: items' parameters, or their errors."""
    lists = {name: values.tolist() for name, values in columns.items()}
    return [{name: values[i] for name, values in lists.items() if math.isfinite(values[i])} for i in range(n)]


def json_response(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Bytes that are JSON."""
    return Response(body, status_code=status, media_type=JSON, headers=dict(headers or {}))


def error_response(error: ApiError, request_id: str | None) -> Response:
    """The contract's error body."""
    return json_response(to_json(error.body(request_id), fallback=str), status=error.status, headers=error.headers)
