"""The ledger of runs, to read."""

from datetime import date, datetime
from typing import Any

from pydantic import Field

from thetaline.api.base import Reply


class GateCheck(Reply):
    """One line of the publication gate."""

    check_name: str
    passed: bool
    value: float | None
    limit_text: str
    message: str


class LedgerRun(Reply):
    """One run of one job."""

    run_id: str
    job: str
    as_of: date | None
    state: str
    started_at: datetime
    finished_at: datetime | None = None
    summary: dict[str, Any] | None = None
    error: str | None = None
    reason: str | None = None
    gate: list[GateCheck] = Field(default_factory=list, description="filled where one run is asked for")


class RunPage(Reply):
    """Newest first."""

    runs: list[LedgerRun]
