"""`thetaline demo`: a simulated school with known truth goes through the whole line."""

from thetaline.jobs.demo.command import app, main

__all__ = ["app", "main"]
