"""A fit process: `python -m thetaline.service.fits.worker MEMORY_MB`.

Tasks come as JSON lines on stdin, progress and outcome go out as JSON lines on stdout, bodies and results are files.
It ends when its parent does.
"""

import gc
import json
import os
import queue
import resource
import sys
import threading
import time
from typing import TextIO

from thetaline import logs
from thetaline.db.jsonb import to_json
from thetaline.service.fits.process import Task
from thetaline.service.fits.tasks import TASKS
from thetaline.service.http_errors import ApiError, api_error_of

PROGRESS_EVERY_SECS = 0.1
COLLECT_FROM = 50_000  # objects made and not freed; a collection takes 70 ms where scikit-learn is loaded
log = logs.get_logger(__name__)


class Reporter:
    """Tells the parent how a task goes; progress at most ten times a second."""

    def __init__(self, stream: TextIO) -> None:
        """`stream` is the parent's end of stdout."""
        self._stream, self._last = stream, 0.0

    def send(self, **message: object) -> None:
        """One line; a number that is not finite becomes null, another type its text."""
        self._stream.write(to_json(message) + "\n")
        self._stream.flush()

    def progress(self, cycle: int, log_likelihood: float, largest_change: float) -> None:
        """What the engine calls once a cycle."""
        if time.monotonic() - self._last >= PROGRESS_EVERY_SECS:
            self._last = time.monotonic()
            values = {"log_likelihood": log_likelihood, "largest_change": largest_change}
            self.send(progress={"cycle": cycle, **values})


def main() -> None:
    """Work off tasks until stdin ends."""
    logs.configure()
    reporter = Reporter(_private_stdout())
    _limit_memory(int(sys.argv[1]))
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    # A task's half a million observations are as many objects without a cycle: collecting between tasks is enough.
    gc.disable()
    gc.freeze()
    reporter.send(ready=os.getpid())
    while True:
        _work(Task(**json.loads(tasks.get())), reporter)
        collect_if_due()


def collect_if_due() -> None:
    """Collect what tasks have left in circles, once there is enough of it to be worth a walk over every library."""
    if gc.get_count()[0] > COLLECT_FROM:
        gc.collect()


def _work(task: Task, reporter: Reporter) -> None:
    try:
        reporter.send(done=TASKS[task.kind](task, reporter.progress))
    except Exception as error:  # noqa: BLE001  the edge of a task: every error is an answer, and the process goes on
        api_error = api_error_of(error) or _defect(error, task)
        reporter.send(failed={"status": api_error.status, "error": api_error.error, "detail": api_error.detail})


def _private_stdout() -> TextIO:
    """Our own handle on stdout; whatever else is printed goes to stderr."""
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return private


def _listen(tasks: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        tasks.put(line)
    # The parent is gone, perhaps by kill -9, perhaps while we work: nobody waits for the result.
    os._exit(0)


def _limit_memory(megabytes: int) -> None:
    limit = megabytes * 1024 * 1024
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _defect(error: Exception, task: Task) -> ApiError:
    log.error("a fit met a defect", task=task.kind, exc_info=error)
    return ApiError(500, "the fit failed by a defect of the service; its log has the trace")


if __name__ == "__main__":
    main()
