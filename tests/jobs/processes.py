"""Jobs as commands in processes of their own, held up where they write, and killed."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg

from waiting import wait_until

Main = Callable[[Sequence[str]], int]

# A server of forks: a fresh interpreter would spend nearly all of its time on imports.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["thetaline.jobs.nightly.night", "thetaline.jobs.demo.command"])


def start(main: Main, arguments: Sequence[str], url: str, log: Path) -> BaseProcess:
    """Run a job's `main` on the database; all that it says is in the file `log`."""
    log.write_text("")
    process = FORKS.Process(target=_run, args=(main, list(arguments), url, str(log)))
    process.start()
    return process


def _run(main: Main, arguments: Sequence[str], url: str, log: str) -> None:
    for descriptor in (1, 2):
        os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND), descriptor)
    os.environ["DATABASE_URL"] = url
    raise SystemExit(main(arguments))


@contextmanager
def writes_stopped(url: str, table: str) -> Iterator[None]:
    """Whoever writes into the table waits until the block ends."""
    with psycopg.connect(url) as other:
        other.execute(f"lock table {table} in share mode")
        yield


def wait(process: BaseProcess, log: Path, until: Callable[[], bool]) -> None:
    """Wait for something that happens while the process lives."""

    def happened() -> bool:
        lives = process.is_alive()
        if until():
            return True
        assert lives, log.read_text()
        return False

    wait_until(happened)


def kill(process: BaseProcess) -> None:
    """Kill -9; what starts next waits by itself until the server has seen that the process is gone."""
    process.kill()
    process.join()
