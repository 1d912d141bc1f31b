"""Fits that take longer than a request should: accepted with 202, looked up under /jobs/{job_id}."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from thetaline.api.base import Reply


class JobState(StrEnum):
    """Where a job is; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether it stays so."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class JobAccepted(Reply):
    """The 202 of a large fit; `Location` has the same address as `href`."""

    status: Literal["accepted"] = "accepted"
    job_id: UUID
    href: str = Field(examples=["/jobs/3f0e…"])


class JobProgress(Reply):
    """The newest cycle of the fit."""

    cycle: int
    log_likelihood: float | None = None
    largest_change: float | None = None


class Job(Reply):
    """A job as it is now; `error` says why a failed one failed, in the words of an error body."""

    job_id: UUID
    kind: str = Field(examples=["calibrate"])
    state: JobState
    progress: JobProgress | None = None
    attempts: int = Field(description="how many times a worker has taken it up")
    error: dict[str, Any] | None = None
    result_href: str | None = Field(default=None, description="where the result is, once done")
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
