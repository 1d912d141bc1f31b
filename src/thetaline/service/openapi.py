"""The OpenAPI document: request bodies that are read by hand are told by hand; errors look alike everywhere."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from thetaline.api import ErrorBody
from thetaline.service.openapi_examples import EXAMPLES
from thetaline.service.responses import JSON

OPEN = ("/healthz", "/readyz", "/metrics")  # what asks for no token
REF = "#/components/schemas/{model}"
_DESCRIPTIONS = {
    400: "The body is not what its content type says.",
    401: "No token, or one that is not in force.",
    403: "The token's scopes do not reach so far.",
    404: "There is no such thing.",
    405: "The path has no such method.",
    408: "The body took too long to arrive.",
    409: "Not in this state.",
    413: "The body or what it asks for is too large.",
    415: "A content type or encoding that is not taken here.",
    422: "The body or a parameter breaks its rule; `detail` says which.",
    429: "Too many requests or fits; `Retry-After` says when.",
    503: "The database or the fit processes are not available now.",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": told} for status, told in _DESCRIPTIONS.items()
}
_REQUESTS: dict[str, type[BaseModel]] = {}


def request_body(model: type[BaseModel], others: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The `openapi_extra` of a route that takes this model, or `others`: content types with a description of each."""
    _REQUESTS[model.__name__] = model
    content: dict[str, Any] = {JSON: {"schema": {"$ref": REF.format(model=model.__name__)}}}
    for kind, told in (others or {}).items():
        content[kind] = {"schema": {"type": "string", "format": "binary", "description": told}}
    return {"requestBody": {"required": True, "content": content}}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_schemas(_REQUESTS.values()))
        for model, example in EXAMPLES.items():
            schemas[model.__name__]["examples"] = [example]
        _ask_for_tokens(made)
        app.openapi_schema = made
    return app.openapi_schema


def docs_page(made: dict[str, Any]) -> HTMLResponse:
    """The document to read: it is inside the page, for a browser would fetch it without a token."""
    title = f"{made['info']['title']} {made['info']['version']}"
    return get_swagger_ui_html(openapi_url="/openapi.json", title=title, swagger_ui_parameters={"spec": made})


def _ask_for_tokens(made: dict[str, Any]) -> None:
    made["components"]["securitySchemes"] = {
        "Bearer": {"type": "http", "scheme": "bearer", "description": "a token of `thetaline tokens create`"},
        "Internal": {"type": "apiKey", "in": "header", "name": "X-Internal-Token", "description": "the older header"},
    }
    for path, operations in made["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path in OPEN else [{"Bearer": []}, {"Internal": []}]


def _schemas(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    _, together = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    found: dict[str, Any] = together.get("$defs", {})
    return found
