"""The fit processes themselves: who is free, and that one that ends is replaced, by whatever cause it ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from thetaline import logs
from thetaline.service.fits.process import FitProcess, WorkerDiedError

log = logs.get_logger(__name__)


class WorkerPool:
    """A number of processes that stays the same until it closes."""

    def __init__(self, *, workers: int, memory_mb: int, threads: int) -> None:
        """Nothing runs before `start`."""
        self._workers, self._memory_mb, self._threads = workers, memory_mb, threads
        self._idle: asyncio.Queue[FitProcess] = asyncio.Queue()
        self._all: set[FitProcess] = set()
        self._background: set[asyncio.Task[None]] = set()  # those that watch a process, those that replace one
        self._closing = False

    async def start(self) -> None:
        """Start every process. Raises WorkerDiedError if one does not come up."""
        await asyncio.gather(*(self._spawn() for _ in range(self._workers)))

    def stop_replacing(self) -> None:
        """Let those that end from now on stay ended."""
        self._closing = True

    async def close(self) -> None:
        """End every process, at work or not, one that is just starting included."""
        self.stop_replacing()
        while self._background or self.alive:
            await asyncio.gather(*(process.end() for process in self._all))
            await asyncio.sleep(0.01)

    @property
    def alive(self) -> int:
        """Processes that can work."""
        return sum(process.alive for process in self._all)

    @property
    def idle(self) -> int:
        """Processes that wait for work; one that is starting neither works nor waits."""
        return self._idle.qsize()

    @property
    def pids(self) -> list[int]:
        """Of the processes that are alive."""
        return [process.pid for process in self._all if process.pid is not None]

    def release(self, process: FitProcess) -> None:
        """It has done its task; one that ended right after it is replaced already."""
        if process in self._all:
            self._idle.put_nowait(process)

    async def next_alive(self) -> FitProcess:
        """A free one, as soon as there is one."""
        while not (process := await self._idle.get()).alive:  # killed a moment ago
            self.replace(process)
        return process

    async def _watch(self, process: FitProcess) -> None:
        """A process that ends without a task is replaced before one asks for it: /readyz counts those that live."""
        await process.ended()
        if self._no_longer_idle(process) and not self._closing:
            log.warning("a fit process ended while it had nothing to do")
        self.replace(process)

    def _no_longer_idle(self, process: FitProcess) -> bool:
        waiting = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        for one in waiting:
            if one is not process:
                self._idle.put_nowait(one)
        return process in waiting

    def replace(self, process: FitProcess) -> None:
        """Once, whoever is the first to see that it is gone."""
        if process in self._all:
            self._all.discard(process)
            self._track(self._respawn(process))

    def _track(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _respawn(self, process: FitProcess) -> None:
        await process.end()
        wait = 0.5
        while not self._closing:
            try:
                await self._spawn()
            except (WorkerDiedError, TimeoutError, OSError) as error:
                self._log_failed_start(error)
                await asyncio.sleep(0 if self._closing else wait)
                wait = min(2 * wait, 30.0)
            else:
                return

    def _log_failed_start(self, error: Exception) -> None:
        """Unless it was ended while it started, because all are."""
        if not self._closing:
            log.warning("a fit process does not start", error=str(error) or type(error).__name__)

    async def _spawn(self) -> None:
        process = FitProcess(memory_mb=self._memory_mb, threads=self._threads)
        self._all.add(process)
        try:
            await process.start()
        except BaseException:
            self._all.discard(process)
            await process.end()
            raise
        self._idle.put_nowait(process)
        self._track(self._watch(process))
