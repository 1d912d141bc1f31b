"""Fit processes that do not start."""

import asyncio
import io
import sys

import pytest

from thetaline.service.fits.process import WorkerDiedError
from thetaline.service.fits.worker_pool import WorkerPool


def test_a_process_that_does_not_start_is_told_and_tried_again(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def replaced() -> None:
        pool = WorkerPool(workers=1, memory_mb=4096, threads=1)
        await pool.start()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", "/bin/false")
            await _kill(pool)
            async with asyncio.timeout(30):
                while "a fit process does not start" not in log.getvalue():
                    await asyncio.sleep(0.01)
            assert (pool.alive, pool.idle) == (0, 0)
        async with asyncio.timeout(60):
            await pool.next_alive()
        await pool.close()

    asyncio.run(replaced())


async def _kill(pool: WorkerPool) -> None:
    process = await pool.next_alive()
    await process.end()


def test_a_pool_whose_process_does_not_start_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    pool = WorkerPool(workers=1, memory_mb=4096, threads=1)
    with pytest.raises(WorkerDiedError):
        asyncio.run(pool.start())
    assert pool.alive == 0
