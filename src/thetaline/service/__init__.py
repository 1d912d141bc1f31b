"""The HTTP service: parse, call one function, shape the answer; fits run in processes of their own."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thetaline.service.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """`create_app`, when it is asked for: a fit process lives in this package and needs no web framework."""
    if name == "create_app":
        return import_module("thetaline.service.app").create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
