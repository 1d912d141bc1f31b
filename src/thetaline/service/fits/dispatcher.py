"""Fits in the pool's processes: who may wait for one, what happens when one dies or takes too long."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from thetaline import logs
from thetaline.service.fits.process import FitProcess, OnProgress, Task, WorkerDiedError
from thetaline.service.fits.worker_pool import WorkerPool
from thetaline.service.http_errors import ApiError, busy, unavailable
from thetaline.service.metrics import ServiceMetrics

ATTEMPTS = 2  # of a small fit whose worker died: once may be chance, twice is the fit
DIED = "died"
_ADVICE = {
    "calibrate": "ask for a job: Prefer: respond-async",
    "score": "send fewer answers in one request",
    "link": "link fewer items",
    "information": "ask about fewer items in one request",
    "next-items": "choose among fewer items",
}
log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchLimits:
    """How many processes, how many requests may wait for one, what a process may use."""

    workers: int
    waiting: int
    memory_mb: int
    threads: int


class NeverStartedError(TimeoutError):
    """No process came free in time."""


class FitDispatcher:
    """Runs tasks in processes; a task that is abandoned, late or dead costs its process, never the service."""

    def __init__(self, limits: DispatchLimits, metrics: ServiceMetrics) -> None:
        """Nothing runs before `start`."""
        self._limits, self._metrics = limits, metrics
        self._workers = WorkerPool(workers=limits.workers, memory_mb=limits.memory_mb, threads=limits.threads)
        self._waiting = 0
        self._busy = 0
        self._seconds = 1.0  # a running mean of what a fit takes, for Retry-After

    async def start(self) -> None:
        """Start every process. Raises WorkerDiedError if one does not come up."""
        await self._workers.start()

    def stop_replacing(self) -> None:
        """Let those that end from now on stay ended."""
        self._workers.stop_replacing()

    async def close(self) -> None:
        """End every process, at work or not, one that is just starting included."""
        await self._workers.close()

    @property
    def alive(self) -> int:
        """Processes that can work."""
        return self._workers.alive

    @property
    def busy(self) -> int:
        """Processes that work."""
        return self._busy

    @property
    def idle(self) -> int:
        """Processes that wait for work; one that is starting neither works nor waits."""
        return self._workers.idle

    @property
    def waiting(self) -> int:
        """Requests that wait for a process."""
        return self._waiting

    @property
    def pids(self) -> list[int]:
        """Of the processes that are alive."""
        return self._workers.pids

    async def run(self, task: Task, *, timeout_secs: float) -> Mapping[str, Any]:
        """A small fit: answer, or 429 when too many wait, 413 when it takes too long, 503 when it kills its worker."""
        if self._waiting >= self._limits.waiting and not self.idle:
            raise self._all_busy()
        for _attempt in range(ATTEMPTS):
            try:
                return await self.run_once(task, timeout_secs=timeout_secs)
            except NeverStartedError:
                raise self._all_busy() from None
            except TimeoutError:
                # No 503: who came again would be as late again.
                raise ApiError(413, f"the fit was ended after {timeout_secs:g} s", _ADVICE.get(task.kind)) from None
            except WorkerDiedError:
                log.warning("a fit process died at work", task=task.kind)
        raise unavailable(f"the fit ended its process {ATTEMPTS} times")

    def _all_busy(self) -> ApiError:
        expected = self._seconds * (self._waiting + 1) / self._limits.workers
        return busy("all fit processes are busy", retry_after_secs=round(expected))

    async def run_once(
        self, task: Task, *, timeout_secs: float, on_progress: OnProgress | None = None
    ) -> Mapping[str, Any]:
        """One attempt, the wait for a process included. Raises ApiError, WorkerDiedError, TimeoutError."""
        started: float | None = None
        try:
            async with asyncio.timeout(timeout_secs), self._process() as process:
                started = time.monotonic()
                done = await process.run(task, on_progress)
        except BaseException as error:
            self._count(task, _outcome(error), started)
            if isinstance(error, TimeoutError) and started is None:
                raise NeverStartedError from None
            raise
        self._count(task, "ok", started, cycles=done.get("cycles"))
        return done

    def _count(self, task: Task, outcome: str, started: float | None, *, cycles: int | None = None) -> None:
        secs = None if started is None else time.monotonic() - started
        self._metrics.fit_ended(task.kind, outcome, secs, cycles=cycles)
        if secs is not None:
            self._seconds += 0.2 * (secs - self._seconds)
        if outcome == DIED:
            self._metrics.worker_deaths.inc()

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[FitProcess]:
        """A free process; one that is left in the middle of its work (cancelled, late, dead) is replaced."""
        self._waiting += 1
        try:
            process = await self._workers.next_alive()
        finally:
            self._waiting -= 1
        self._busy += 1
        try:
            yield process
        except ApiError:
            self._workers.release(process)
            raise
        except BaseException:
            self._workers.replace(process)
            raise
        else:
            self._workers.release(process)
        finally:
            self._busy -= 1


def _outcome(error: BaseException) -> str:
    """How the metrics name the end of a fit that gave no result."""
    if isinstance(error, ApiError):
        return str(error.status)
    if isinstance(error, WorkerDiedError):
        return DIED
    return "timeout" if isinstance(error, TimeoutError) else "cancelled"
