"""One fit process as its parent sees it, and what it is told to do."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from thetaline.service.http_errors import ApiError

MAX_MESSAGE_BYTES = 1 << 20
START_TIMEOUT_SECS = 60.0
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

OnProgress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What to do with which file, and where the result goes; `most` is the limit of answers."""

    kind: str
    body: str
    result: str
    content_type: str
    options: Mapping[str, str]
    most: int


class WorkerDiedError(Exception):
    """The process ended while it worked, or sent what is no message."""


class FitProcess:
    """Started, asked, ended; one task at a time."""

    def __init__(self, *, memory_mb: int, threads: int) -> None:
        """Nothing runs before `start`."""
        self._memory_mb, self._threads = memory_mb, threads
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self.alive and self._process else None

    @property
    def alive(self) -> bool:
        """Whether it can take a task."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and wait until its libraries are loaded. Raises WorkerDiedError."""
        threads = {name: str(self._threads) for name in THREAD_SETTINGS}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "thetaline.service.fits.worker", str(self._memory_mb)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **threads},
            limit=MAX_MESSAGE_BYTES,
            # Ctrl-C in a terminal goes to the whole group: the parent decides what becomes of a fit.
            start_new_session=True,
        )
        async with asyncio.timeout(START_TIMEOUT_SECS):
            await self._message()

    async def run(self, task: Task, on_progress: OnProgress | None = None) -> Mapping[str, Any]:
        """Do it; returns what the worker says of it. Raises ApiError, WorkerDiedError."""
        self._send(task)
        while True:
            message = await self._message()
            if "progress" in message and on_progress:
                on_progress(message["progress"])
            if "failed" in message:
                raise ApiError(**message["failed"])
            if "done" in message:
                done: Mapping[str, Any] = message["done"]
                return done

    async def ended(self) -> None:
        """Wait until it is gone, by whatever cause."""
        if self._process is not None:
            await self._process.wait()

    async def end(self) -> None:
        """Kill it, whatever it does, and reap it."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        if self._process.stdout is not None:  # before the wait, which does not end while bytes are left in the pipe
            with suppress(RuntimeError):  # somebody reads still, and closes the pipe by that
                await self._process.stdout.read()
        await self._process.wait()

    def _send(self, task: Task) -> None:
        if self._process is None or self._process.stdin is None:
            raise WorkerDiedError
        self._process.stdin.write(json.dumps(asdict(task)).encode() + b"\n")

    async def _message(self) -> dict[str, Any]:
        if self._process is None or self._process.stdout is None:
            raise WorkerDiedError
        try:
            message = json.loads(await self._process.stdout.readline())
        except ValueError:  # a line cut short by its end, too long a line, or no JSON: nothing it says counts any more
            raise WorkerDiedError from None
        if not isinstance(message, dict):
            raise WorkerDiedError
        return message
