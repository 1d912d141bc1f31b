"""`thetaline doctor`: what is installed, which database, what is wrong, and what to do about it."""

from thetaline.jobs.doctor.command import app, main

__all__ = ["app", "main"]
