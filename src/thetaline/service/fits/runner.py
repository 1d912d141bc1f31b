"""Takes large fits from the queue in PostgreSQL, one after the other; every replica runs one of these."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import psycopg

from thetaline import logs
from thetaline.db import job_queue
from thetaline.db.job_queue import JobLease, QueuedJob
from thetaline.service.database import Database
from thetaline.service.fits.dispatcher import FitDispatcher
from thetaline.service.fits.process import Task, WorkerDiedError
from thetaline.service.fits.temp_files import TempFiles, chunks, restore
from thetaline.service.http_errors import DB_UNAVAILABLE, ApiError

POLL_SECS = 2.0  # for jobs that another replica queued or dropped; our own wake us at once
REPORT_SECS = 0.5
LEASE_SECS = 15.0
CLOSE_SECS = 10.0  # for the giving back; a database that does not answer by then has the lease
MAX_ATTEMPTS = 3
FORGET_SECS = 3600.0
T = TypeVar("T")
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

    def too_late(self) -> ApiError:
        """Of a fit that took longer."""
        advice = "split it, or raise SERVICE_JOB_TIMEOUT_SECS"
        return ApiError(413, f"the fit was ended after {self.timeout_secs:g} s", advice)


class JobRunner:
    """A loop that claims, works, reports; a job ends as done, failed or cancelled, or goes back to the queue."""

    def __init__(
        self, database: Database, dispatcher: FitDispatcher, *, temp_files: TempFiles, limits: RunnerLimits
    ) -> None:
        """Nothing runs before `start`."""
        self._database, self._dispatcher, self._temp_files, self._limits = database, dispatcher, temp_files, limits
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._woken = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._closing = False

    def start(self) -> None:
        """Begin to take jobs."""
        loop = asyncio.get_running_loop()
        self._loops = [loop.create_task(self._take()) for _ in range(self._limits.at_once)]
        self._loops.append(loop.create_task(self._forget()))

    def wake(self) -> None:
        """A job was queued here."""
        self._woken.set()

    async def close(self) -> None:
        """Stop; what runs goes back to the queue at once, its attempt uncounted. A second call waits with the first."""
        if not self._closing:
            self._closing = True  # a second cancellation would end the giving back
            for task in self._loops:
                task.cancel()
        await asyncio.wait(self._loops, timeout=CLOSE_SECS)

    async def _take(self) -> None:
        while True:
            self._woken.clear()
            job = await self._claim()
            if job is not None:
                await self._work(job)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), POLL_SECS)

    async def _claim(self) -> QueuedJob | None:
        claim = asyncio.ensure_future(
            self._database.run(
                job_queue.claim_job, worker=self._worker, lease_secs=LEASE_SECS, max_attempts=MAX_ATTEMPTS
            )
        )
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:  # the claim goes on in its thread: what it gets is given back
            await self._undo(claim)
            raise
        except DB_UNAVAILABLE as error:
            log.warning("the queue cannot be read", error=type(error).__name__)
        except psycopg.errors.UndefinedTable:
            log.warning("the schema has no queue; run `thetaline db migrate`")
        except Exception:  # the edge of the loop: if it ended, nothing would ever be taken again
            log.exception("the queue met a defect")
        await asyncio.sleep(POLL_SECS)
        return None

    async def _undo(self, claim: asyncio.Future[QueuedJob | None]) -> None:
        with suppress(*DB_UNAVAILABLE):
            job = await claim
            if job is not None:
                await self._give_back(self._lease(job))

    def _lease(self, job: QueuedJob) -> JobLease:
        return JobLease(job.job_id, self._worker, LEASE_SECS)

    async def _give_back(self, lease: JobLease) -> None:
        try:
            await self._database.run(job_queue.requeue_job, lease, forgiven=True)
        except DB_UNAVAILABLE as error:
            _left_to_its_lease(lease, error)

    async def _work(self, job: QueuedJob) -> None:
        lease = self._lease(job)
        log.info("job taken", job_id=str(job.job_id), attempt=job.attempts)
        try:
            await self._fit(job, lease)
        except asyncio.CancelledError:
            await self._give_back(lease)
            raise
        except DB_UNAVAILABLE as error:  # the lease runs out, and whoever sees the database first takes the job
            _left_to_its_lease(lease, error)
        except Exception:
            # The edge of a job: the loop must outlive a defect, and the lease brings the job back until it is given up.
            log.exception("a job met a defect", job_id=str(job.job_id))

    async def _fit(self, job: QueuedJob, lease: JobLease) -> None:
        with self._temp_files.file() as body, self._temp_files.file() as result:
            await self._database.run(lambda conn: restore(body, job_queue.job_body(conn, job.job_id, "request")))
            task = Task(job.kind, str(body), str(result), job.content_type, job.options, self._limits.most)
            try:
                await self._supervised(task, lease)
            except ApiError as error:
                await self._retried(job_queue.fail_job, lease, error.body())
            except TimeoutError:
                await self._retried(job_queue.fail_job, lease, self._limits.too_late().body())
            except LeaseLostError:
                await self._retried(job_queue.close_cancelled, lease)
            except WorkerDiedError:
                log.warning("a fit process died at work on a job", job_id=str(job.job_id), attempt=job.attempts)
                await self._retried(job_queue.requeue_job, lease, forgiven=False)
            else:
                await self._retried(lambda conn: job_queue.finish_job(conn, lease, chunks(result)))

    async def _supervised(self, task: Task, lease: JobLease) -> None:
        """The fit beside its reports; whichever fails first ends the other, and with it the process at work."""
        newest: dict[str, Any] = {}
        reports = asyncio.create_task(self._report(newest, lease))
        fit = asyncio.create_task(
            self._dispatcher.run_once(task, timeout_secs=self._limits.timeout_secs, on_progress=newest.update)
        )
        try:
            await asyncio.wait({fit, reports}, return_when=asyncio.FIRST_COMPLETED)
            await (reports if reports.done() else fit)
            await self._retried(job_queue.extend_lease, lease, newest or None)  # the last of its progress
        finally:
            for part in (fit, reports):
                part.cancel()
            await asyncio.gather(fit, reports, return_exceptions=True)

    async def _report(self, newest: dict[str, Any], lease: JobLease) -> None:
        while await self._retried(job_queue.extend_lease, lease, dict(newest) or None):
            await asyncio.sleep(REPORT_SECS)
        raise LeaseLostError

    async def _retried(self, function: Callable[..., T], *args: object, **options: object) -> T:
        """Ask again while the database is away, for as long as a lease may last: until then nobody else has the job."""
        ends_at = time.monotonic() + LEASE_SECS
        while True:
            try:
                return await self._database.run(function, *args, **options)
            except DB_UNAVAILABLE:
                if time.monotonic() > ends_at:
                    raise
            await asyncio.sleep(REPORT_SECS)

    async def _forget(self) -> None:
        while True:
            try:
                await self._database.run(job_queue.forget_jobs, days=self._limits.retention_days)
            except (*DB_UNAVAILABLE, psycopg.errors.UndefinedTable) as error:
                log.warning("old jobs were not forgotten", error=type(error).__name__)
            except Exception:  # the edge of the loop, as above
                log.exception("old jobs were not forgotten")
            await asyncio.sleep(FORGET_SECS)


def _left_to_its_lease(lease: JobLease, error: Exception) -> None:
    log.warning("a job was left to its lease", job_id=str(lease.job_id), error=type(error).__name__)
