"""What the routes of one running service share."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from fastapi import Request

from thetaline.db import job_queue, queries
from thetaline.service.database import Database
from thetaline.service.faults import AWAY
from thetaline.service.fits.pool import FitPool
from thetaline.service.fits.runner import JobRunner
from thetaline.service.fits.spool import Spool
from thetaline.service.metrics import Metrics
from thetaline.service.published import PublishedBank
from thetaline.service.rates import RateLimits
from thetaline.service.tokens import TokenBook
from thetaline.service.updates import ThetaUpdates
from thetaline.settings import Settings

SCRAPE_SECS = 2.0  # a scrape that waits longer than this for a part goes without it


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One of each; `anonymous`: requests without a token are served for as long as none was ever made."""

    settings: Settings
    database: Database
    queue: Database  # the runner's own
    pool: FitPool
    runner: JobRunner
    spool: Spool
    tokens: TokenBook
    rates: RateLimits
    metrics: Metrics
    bank: PublishedBank
    updates: ThetaUpdates
    anonymous: bool

    async def refresh_gauges(self) -> None:
        """Put what a scrape is to see into the metrics; a database that is away leaves its part out."""
        gauges: dict[tuple[str, str, str], Mapping[str, float]] = {
            ("thetaline_fit_processes", "fit processes by state", "state"): {
                "busy": self.pool.busy,
                "idle": self.pool.idle,
            },
            ("thetaline_fits_waiting", "requests that wait for a fit process", ""): {"": self.pool.waiting},
            ("thetaline_tokens", "tokens in force", ""): {"": len(self.tokens)},
        }
        self.metrics.show(gauges)
        with suppress(*AWAY, psycopg.errors.UndefinedTable):
            jobs, gates = await self.database.run_within(SCRAPE_SECS, _counted)
            gauges["thetaline_jobs", "large fits by state", "state"] = jobs
            gauges["thetaline_gate_results", "checks of the publication gate, 30 days", "outcome"] = gates
            self.metrics.show(gauges)


def _counted(conn: psycopg.Connection[Any]) -> tuple[Mapping[str, float], Mapping[str, float]]:
    return job_queue.count_jobs(conn), queries.gate_counts(conn)


def services_of(request: Request) -> Services:
    """Of the application that serves this request."""
    return cast("Services", request.app.state.services)
