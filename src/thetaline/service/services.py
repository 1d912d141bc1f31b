"""What the routes of one running service share."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, cast

import psycopg
from fastapi import Depends, Request

from thetaline.db import job_queue, queries
from thetaline.service.bank_cache import BankCache
from thetaline.service.database import Database
from thetaline.service.fits.dispatcher import FitDispatcher
from thetaline.service.fits.runner import JobRunner
from thetaline.service.fits.temp_files import TempFiles
from thetaline.service.http_errors import DB_UNAVAILABLE
from thetaline.service.metrics import ServiceMetrics
from thetaline.service.rate_limit import RateLimits
from thetaline.service.theta_updates import ThetaUpdates
from thetaline.service.tokens import TokenCache
from thetaline.settings import Settings

SCRAPE_SECS = 2.0  # a scrape that waits longer than this for a part goes without it


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One of each; `anonymous`: requests without a token are served for as long as none was ever made."""

    settings: Settings
    database: Database
    queue: Database  # the runner's own
    dispatcher: FitDispatcher
    runner: JobRunner
    temp_files: TempFiles
    tokens: TokenCache
    rates: RateLimits
    metrics: ServiceMetrics
    bank: BankCache
    updates: ThetaUpdates
    anonymous: bool

    async def refresh_gauges(self) -> None:
        """Put what a scrape is to see into the metrics; a database that is away leaves its part out."""
        gauges: dict[tuple[str, str, str], Mapping[str, float]] = {
            ("thetaline_fit_processes", "fit processes by state", "state"): {
                "busy": self.dispatcher.busy,
                "idle": self.dispatcher.idle,
            },
            ("thetaline_fits_waiting", "requests that wait for a fit process", ""): {"": self.dispatcher.waiting},
            ("thetaline_tokens", "tokens in force", ""): {"": len(self.tokens)},
        }
        self.metrics.show(gauges)
        with suppress(*DB_UNAVAILABLE, psycopg.errors.UndefinedTable):
            jobs, gates = await self.database.run_within(SCRAPE_SECS, _counted)
            gauges["thetaline_jobs", "large fits by state", "state"] = jobs
            gauges["thetaline_gate_results", "checks of the publication gate, 30 days", "outcome"] = gates
            self.metrics.show(gauges)


def _counted(conn: psycopg.Connection[Any]) -> tuple[Mapping[str, float], Mapping[str, float]]:
    return job_queue.count_jobs(conn), queries.gate_counts(conn)


async def services_of(request: Request) -> Services:
    """Of the application that serves this request; a coroutine, for FastAPI runs a plain function in a thread."""
    return cast("Services", request.app.state.services)


Shared = Annotated[Services, Depends(services_of)]
