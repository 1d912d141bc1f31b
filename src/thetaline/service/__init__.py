"""The HTTP service: parse, call one function, shape the answer; fits run in processes of their own."""

from thetaline.service.app import create_app

__all__ = ["create_app"]
