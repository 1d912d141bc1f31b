"""A process with the libraries loaded, which forks one for each run of tests: `python -m tests.mutation.worker FOLDER`.

It reads a JSON object of tests and their usual seconds a line, and answers each with a JSON object a line.
Its working directory is a copy of the checkout; the sources of that copy are what the tests and their processes import.
"""

import ctypes
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import psutil

from . import child

_LIBRARIES = (
    *(
        "scipy.optimize",
        "scipy.sparse",
        "scipy.special",
        "scipy.stats",
        "pandas",
        "httpx",
        "psycopg",
        "pydantic_settings",
    ),
    *("fastapi", "uvicorn", "asyncpg", "structlog", "rich.table", "typer", "prometheus_client"),
)
_POLL_SECS = 0.02
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(folder: Path) -> None:
    """Serve until the input ends."""
    _control(_PR_SET_CHILD_SUBREAPER, 1)  # what a killed test leaves behind becomes our child, to be killed too
    _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _load()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_carried_out(json.loads(line), folder)) + "\n")
        sys.stdout.flush()


def _control(option: int, value: int) -> None:
    """Linux's prctl(2): no process of ours is to outlive the run, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _load() -> None:
    for name in _LIBRARIES:
        import_module(name)
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    if "thetaline" in sys.modules:
        raise RuntimeError("thetaline is loaded before the first mutant: no test would meet one")
    gc.collect()
    gc.freeze()  # the collector of a child would copy every page that holds an object of ours


def _carried_out(tests: Mapping[str, float], folder: Path) -> dict[str, str]:
    (folder / "failure").unlink(missing_ok=True)
    if not (pid := os.fork()):
        _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
        child.run(tests, folder)
    code = _end_of(pid, time.monotonic() + child.allowance(sum(tests.values())))
    _kill_what_is_left()
    return _outcome(code, folder)


def _end_of(pid: int, deadline: float) -> int | None:
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_POLL_SECS)
    return None


def _kill_what_is_left() -> None:
    left = psutil.Process().children(recursive=True)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)


def _outcome(code: int | None, folder: Path) -> dict[str, str]:
    if (failure := folder / "failure").exists():
        outcome, test = failure.read_text().split("\n", 1)
        return {"outcome": outcome, "test": test}
    if code is None:
        return {"outcome": "timed out", "test": "(all)"}
    return {"outcome": "survived", "test": ""} if code == 0 else {"outcome": "killed", "test": "(at import)"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
