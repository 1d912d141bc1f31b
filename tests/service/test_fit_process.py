"""A fit process that speaks so that nobody understands it."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from thetaline.service.fits.process import LONGEST_WORD_BYTES, FitProcess, WorkerDiedError
from thetaline.service.fits.task import Task

TASK = Task("calibrate", "no body", "no result", "application/json", {}, 1)


def _mouth(pid: int) -> Path:
    """The worker's own handle on the pipe to its parent."""
    return next(
        fd
        for fd in sorted(Path(f"/proc/{pid}/fd").iterdir())
        if fd.name not in ("0", "1", "2") and fd.readlink().name.startswith("pipe:")
    )


def _say(path: Path, word: bytes) -> None:
    with path.open("wb", buffering=0) as pipe:
        pipe.write(word)


async def _hear(word: bytes) -> None:
    process = FitProcess(memory_mb=4096, threads=1)
    await process.start()
    assert process.pid is not None
    try:
        os.kill(process.pid, signal.SIGSTOP)
        mouth = _mouth(process.pid)
        saying = asyncio.create_task(asyncio.to_thread(_say, mouth, word))
        with pytest.raises(WorkerDiedError):
            await asyncio.wait_for(process.run(TASK), 10)
    finally:
        await asyncio.wait_for(process.end(), 10)
        await asyncio.gather(saying, return_exceptions=True)
    assert not process.alive


@pytest.mark.parametrize(
    "word",
    [b"no JSON\n", b'"no word"\n', b"\xff\n", b"x" * (3 * LONGEST_WORD_BYTES) + b"\n"],
    ids=["no JSON", "no object", "no text", "too long"],
)
def test_a_word_that_cannot_be_understood_is_as_good_as_a_death(word: bytes) -> None:
    asyncio.run(_hear(word))
