"""Request bodies: read within bounds, validated straight from their bytes."""

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel

from thetaline.service.http_errors import ApiError
from thetaline.service.json_limits import SMALL
from thetaline.service.responses import JSON

M = TypeVar("M", bound=BaseModel)


def content_type(request: Request, known: tuple[str, ...]) -> str:
    """The body's, without parameters. Raises a 415."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in known:
        raise ApiError(415, f"content type {given[:100] or 'none'!r} is not taken here", {"known": list(known)})
    return given


async def read_small(request: Request, model: type[M]) -> M:
    """A JSON body of a route whose bodies are small. Raises 400, 408, 413, 415, 422."""
    content_type(request, (JSON,))
    return model.model_validate_json(SMALL.require(await request.body()))
