"""A fit process whose messages are none, and what it collects between tasks."""

import asyncio
import gc
import os
import signal
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from thetaline.service.fits.process import MAX_MESSAGE_BYTES, FitProcess, Task, WorkerDiedError
from thetaline.service.fits.worker import COLLECT_FROM, collect_if_due

TASK = Task("calibrate", "no body", "no result", "application/json", {}, 1)


def _pipe_of(pid: int) -> Path:
    """The worker's own handle on the pipe to its parent."""
    return next(
        fd
        for fd in sorted(Path(f"/proc/{pid}/fd").iterdir())
        if fd.name not in ("0", "1", "2") and fd.readlink().name.startswith("pipe:")
    )


def _send(path: Path, message: bytes) -> None:
    with path.open("wb", buffering=0) as pipe:
        pipe.write(message)


async def _receive(message: bytes) -> None:
    process = FitProcess(memory_mb=4096, threads=1)
    await process.start()
    assert process.pid is not None
    try:
        os.kill(process.pid, signal.SIGSTOP)
        pipe = _pipe_of(process.pid)
        sending = asyncio.create_task(asyncio.to_thread(_send, pipe, message))
        with pytest.raises(WorkerDiedError):
            await asyncio.wait_for(process.run(TASK), 10)
    finally:
        await asyncio.wait_for(process.end(), 10)
        await asyncio.gather(sending, return_exceptions=True)
    assert not process.alive


@pytest.mark.parametrize(
    "message",
    [b"no JSON\n", b'"no object"\n', b"\xff\n", b"x" * (3 * MAX_MESSAGE_BYTES) + b"\n"],
    ids=["no JSON", "no object", "no text", "too long"],
)
def test_a_message_that_cannot_be_read_is_as_good_as_a_death(message: bytes) -> None:
    asyncio.run(_receive(message))


class Circle:
    """An object that only a collection frees."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def no_collector() -> Iterator[None]:
    """As in a fit process, where none runs by itself."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_circles_that_tasks_leave_are_collected_once_they_are_many(no_collector: None) -> None:
    first = weakref.ref(Circle())
    collect_if_due()
    assert first() is not None  # a walk over every library takes longer than a small task
    for _ in range(COLLECT_FROM):
        Circle()
    collect_if_due()
    assert first() is None
