"""The fit processes: who is free, who may wait, what happens when one dies or takes too long."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from thetaline import logs
from thetaline.service.faults import Fault, busy, unavailable
from thetaline.service.fits.process import FitProcess, OnProgress, WorkerDiedError
from thetaline.service.fits.task import Task
from thetaline.service.metrics import Metrics

ATTEMPTS = 2  # of a small fit whose worker died: once may be chance, twice is the fit
log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """How many processes, how many requests may wait for one, what a process may use."""

    workers: int
    waiting: int
    memory_mb: int
    threads: int


class FitPool:
    """Runs tasks in processes; a task that is abandoned, late or dead costs its process, never the service."""

    def __init__(self, limits: PoolLimits, metrics: Metrics) -> None:
        """Nothing runs before `start`."""
        self._limits, self._metrics = limits, metrics
        self._idle: asyncio.Queue[FitProcess] = asyncio.Queue()
        self._all: set[FitProcess] = set()
        self._respawning: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._busy = 0
        self._closing = False
        self._seconds = 1.0  # a running mean of what a fit takes, for Retry-After

    async def start(self) -> None:
        """Start every process. Raises WorkerDiedError if one does not come up."""
        await asyncio.gather(*(self._spawn() for _ in range(self._limits.workers)))

    def stop_replacing(self) -> None:
        """Let those that end from now on stay ended."""
        self._closing = True

    async def close(self) -> None:
        """End every process, at work or not, one that is just starting included."""
        self.stop_replacing()
        while self._respawning or self.alive:
            await asyncio.gather(*(process.end() for process in self._all))
            await asyncio.sleep(0.01)

    @property
    def alive(self) -> int:
        """Processes that can work."""
        return sum(process.alive for process in self._all)

    @property
    def busy(self) -> int:
        """Processes that work."""
        return self._busy

    @property
    def idle(self) -> int:
        """Processes that wait for work; one that is starting neither works nor waits."""
        return self._idle.qsize()

    @property
    def waiting(self) -> int:
        """Requests that wait for a process."""
        return self._waiting

    @property
    def pids(self) -> list[int]:
        """Of the processes that are alive."""
        return [process.pid for process in self._all if process.pid is not None]

    async def run(self, task: Task, *, timeout_secs: float) -> Mapping[str, Any]:
        """A small fit: answer, or 429 when too many wait, 503 when it is too late or its worker died twice."""
        if self._waiting >= self._limits.waiting and self._idle.empty():
            expected = self._seconds * (self._waiting + 1) / self._limits.workers
            raise busy("all fit processes are busy", retry_after_secs=round(expected))
        for _attempt in range(ATTEMPTS):
            try:
                async with asyncio.timeout(timeout_secs):
                    return await self.run_once(task)
            except TimeoutError:
                raise Fault(
                    503, f"the fit was ended after {timeout_secs:g} s", "ask for a job: Prefer: respond-async"
                ) from None
            except WorkerDiedError:
                log.warning("a fit process died at work", task=task.kind)
        raise unavailable(f"the fit ended its process {ATTEMPTS} times")

    async def run_once(self, task: Task, on_progress: OnProgress | None = None) -> Mapping[str, Any]:
        """One attempt, however long the wait. Raises Fault, WorkerDiedError."""
        async with self._process() as process:
            started = time.monotonic()
            try:
                done = await process.run(task, on_progress)
            except WorkerDiedError:
                self._metrics.worker_deaths.inc()
                raise
            except Fault as fault:
                self._metrics.fit_ended(task.kind, str(fault.status), time.monotonic() - started)
                raise
            finally:
                self._seconds += 0.2 * (time.monotonic() - started - self._seconds)
            self._metrics.fit_ended(task.kind, "ok", time.monotonic() - started, cycles=done.get("cycles"))
            return done

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[FitProcess]:
        """A free process; one that is left in the middle of its work (cancelled, late, dead) is replaced."""
        self._waiting += 1
        try:
            process = await self._next_alive()
        finally:
            self._waiting -= 1
        self._busy += 1
        try:
            yield process
        except Fault:
            self._idle.put_nowait(process)
            raise
        except BaseException:
            self._replace(process)
            raise
        else:
            self._idle.put_nowait(process)
        finally:
            self._busy -= 1

    async def _next_alive(self) -> FitProcess:
        while not (process := await self._idle.get()).alive:  # killed while it had nothing to do
            self._replace(process)
        return process

    def _replace(self, process: FitProcess) -> None:
        self._all.discard(process)
        respawn = asyncio.get_running_loop().create_task(self._respawn(process))
        self._respawning.add(respawn)
        respawn.add_done_callback(self._respawning.discard)

    async def _respawn(self, process: FitProcess) -> None:
        await process.end()
        wait = 0.5
        while not self._closing:
            try:
                await self._spawn()
            except (WorkerDiedError, TimeoutError, OSError) as error:
                log.warning("a fit process does not start", error=str(error) or type(error).__name__)
                await asyncio.sleep(0 if self._closing else wait)
                wait = min(2 * wait, 30.0)
            else:
                return

    async def _spawn(self) -> None:
        process = FitProcess(memory_mb=self._limits.memory_mb, threads=self._limits.threads)
        self._all.add(process)
        try:
            await process.start()
        except BaseException:
            self._all.discard(process)
            await process.end()
            raise
        self._idle.put_nowait(process)
