"""Takes large fits from the queue in PostgreSQL, one after the other; every replica runs one of these."""

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg

from thetaline import logs
from thetaline.db import job_queue
from thetaline.db.job_queue import Lease, QueuedJob
from thetaline.service.database import Database
from thetaline.service.faults import AWAY, Fault
from thetaline.service.fits.pool import FitPool
from thetaline.service.fits.process import WorkerDiedError
from thetaline.service.fits.spool import Spool, chunks, restore
from thetaline.service.fits.task import Task

POLL_SECS = 2.0  # for jobs that another replica queued or dropped; our own wake us at once
REPORT_SECS = 0.5
LEASE_SECS = 15.0
MAX_ATTEMPTS = 3
FORGET_SECS = 3600.0
log = logs.get_logger(__name__)


class LeaseLostError(Exception):
    """The job was cancelled, or another replica has taken it over: stop working on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerLimits:
    """How long a fit may take, how many rows it may have, how many run at once, how long results are kept."""

    timeout_secs: float
    most: int
    at_once: int
    retention_days: int


class JobRunner:
    """A loop that claims, works, reports; a job ends as done, failed or cancelled, or goes back to the queue."""

    def __init__(self, database: Database, pool: FitPool, *, spool: Spool, limits: RunnerLimits) -> None:
        """Nothing runs before `start`."""
        self._database, self._pool, self._spool, self._limits = database, pool, spool, limits
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._news = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to take jobs."""
        loop = asyncio.get_running_loop()
        self._loops = [loop.create_task(self._take()) for _ in range(self._limits.at_once)]
        self._loops.append(loop.create_task(self._forget()))

    def wake(self) -> None:
        """A job was queued here."""
        self._news.set()

    async def close(self) -> None:
        """Stop; what runs goes back to the queue at once, without its attempt being counted."""
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    async def _take(self) -> None:
        while True:
            self._news.clear()
            job = await self._claim()
            if job is not None:
                await self._work(job)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), POLL_SECS)

    async def _claim(self) -> QueuedJob | None:
        try:
            return await self._database.run(
                job_queue.claim_job, worker=self._worker, lease_secs=LEASE_SECS, max_attempts=MAX_ATTEMPTS
            )
        except AWAY as error:
            log.warning("the queue cannot be read", error=type(error).__name__)
        except psycopg.errors.UndefinedTable:
            log.warning("the schema has no queue; run `thetaline db migrate`")
        await asyncio.sleep(POLL_SECS)
        return None

    async def _work(self, job: QueuedJob) -> None:
        lease = Lease(job.job_id, self._worker, LEASE_SECS)
        log.info("job taken", job_id=str(job.job_id), attempt=job.attempts)
        try:
            await self._fit(job, lease)
        except asyncio.CancelledError:
            await asyncio.shield(self._database.run(job_queue.requeue_job, lease, forgiven=True))
            raise
        except AWAY as error:  # the lease runs out, and whoever sees the database first takes the job
            log.warning("a job was left to its lease", job_id=str(job.job_id), error=type(error).__name__)
        except Exception:
            # The edge of a job: the loop must outlive a defect, and the lease brings the job back until it is given up.
            log.exception("a job met a defect", job_id=str(job.job_id))

    async def _fit(self, job: QueuedJob, lease: Lease) -> None:
        with self._spool.file() as body, self._spool.file() as result:
            await self._database.run(lambda conn: restore(body, job_queue.job_body(conn, job.job_id, "request")))
            task = Task(job.kind, str(body), str(result), job.content_type, job.options, self._limits.most)
            try:
                await self._supervised(task, lease)
            except Fault as fault:
                await self._database.run(job_queue.fail_job, lease, fault.body())
            except TimeoutError:
                error = Fault(503, f"the fit was ended after {self._limits.timeout_secs:g} s")
                await self._database.run(job_queue.fail_job, lease, error.body())
            except LeaseLostError:
                await self._database.run(job_queue.close_cancelled, lease)
            except WorkerDiedError:
                log.warning("a fit process died at work on a job", job_id=str(job.job_id), attempt=job.attempts)
                await self._database.run(job_queue.requeue_job, lease, forgiven=False)
            else:
                await self._database.run(lambda conn: job_queue.finish_job(conn, lease, chunks(result)))

    async def _supervised(self, task: Task, lease: Lease) -> None:
        """The fit beside its reports; whichever fails first ends the other, and with it the process at work."""
        newest: dict[str, Any] = {}
        reports = asyncio.create_task(self._report(newest, lease))
        fit = asyncio.create_task(self._pool.run_once(task, newest.update))
        try:
            async with asyncio.timeout(self._limits.timeout_secs):
                await asyncio.wait({fit, reports}, return_when=asyncio.FIRST_COMPLETED)
            await (reports if reports.done() else fit)
            await self._database.run(job_queue.extend_lease, lease, newest or None)  # the last word on progress
        finally:
            for part in (fit, reports):
                part.cancel()
            await asyncio.gather(fit, reports, return_exceptions=True)

    async def _report(self, newest: dict[str, Any], lease: Lease) -> None:
        while True:
            await asyncio.sleep(REPORT_SECS)
            if not await self._database.run(job_queue.extend_lease, lease, dict(newest) or None):
                raise LeaseLostError

    async def _forget(self) -> None:
        while True:
            with suppress(*AWAY, psycopg.errors.UndefinedTable):
                await self._database.run(job_queue.forget_jobs, days=self._limits.retention_days)
            await asyncio.sleep(FORGET_SECS)
