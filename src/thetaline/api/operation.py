"""Health and readiness."""

from typing import Literal

from pydantic import Field

from thetaline.api.base import Reply


class Health(Reply):
    """The process answers; `version` is that of the HTTP contract."""

    status: Literal["ok"] = "ok"
    service: str = Field(examples=["r-irt-plumber"])
    version: str = Field(examples=["1.0.0"])


class Readiness(Reply):
    """Whether requests can be served in full, part by part."""

    status: Literal["ready", "not ready"]
    database: str = Field(description="ok, or what is wrong")
    migrations: str = Field(description="ok, or what is wrong")
    published_run: str | None = Field(description="the newest published calibration; null: none yet")
    workers: int = Field(description="fit processes that are alive")
