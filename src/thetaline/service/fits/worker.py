"""A fit process: `python -m thetaline.service.fits.worker MEMORY_MB`. Tasks come as JSON lines on stdin, word of them
goes out as JSON lines on stdout, bodies and results are files. It ends when its parent does."""

import gc
import json
import os
import queue
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from thetaline import logs
from thetaline.service.faults import Fault, breaking_down, fault_of
from thetaline.service.fits.task import Task
from thetaline.service.json_limits import limits_of_process

PROGRESS_EVERY_SECS = 0.1
log = logs.get_logger(__name__)

Progress = Callable[[int, float, float], None]


class Voice:
    """Says on stdout how a task goes; progress at most ten times a second."""

    def __init__(self, stream: TextIO) -> None:
        """`stream` is the parent's end of stdout."""
        self._stream, self._last = stream, 0.0

    def say(self, **word: object) -> None:
        """One line."""
        self._stream.write(json.dumps(word) + "\n")
        self._stream.flush()

    def progress(self, cycle: int, log_likelihood: float, largest_change: float) -> None:
        """What the engine calls once a cycle."""
        if time.monotonic() - self._last >= PROGRESS_EVERY_SECS:
            self._last = time.monotonic()
            values = {"log_likelihood": log_likelihood, "largest_change": largest_change}
            self.say(progress={"cycle": cycle, **{name: _finite(value) for name, value in values.items()}})


def main() -> None:
    """Work off tasks until stdin ends."""
    logs.configure()
    voice = Voice(_private_stdout())
    _limit_memory(int(sys.argv[1]))
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    kinds = _kinds()
    # A task's half a million observations are as many objects without a cycle: collecting between tasks is enough.
    gc.disable()
    gc.freeze()
    voice.say(ready=os.getpid())
    while True:
        _work(kinds, Task(**json.loads(tasks.get())), voice)
        gc.collect()


def _work(kinds: Mapping[str, "Work"], task: Task, voice: Voice) -> None:
    try:
        voice.say(done=kinds[task.kind](task, voice.progress))
    except Exception as error:  # noqa: BLE001  the edge of a task: every fault is an answer, and the process goes on
        fault = fault_of(error) or _defect(error, task)
        voice.say(failed={"status": fault.status, "error": fault.error, "detail": _plain(fault.detail)})


def calibrate(task: Task, progress: Progress) -> dict[str, object]:
    """Body in, reply file out; returns what the metrics are to know."""
    from thetaline.jobs.calibration.in_process_engine import InProcessEngine  # noqa: PLC0415  tests of the protocol need no engine
    from thetaline.service.fits.bodies import read_body  # noqa: PLC0415
    from thetaline.service.fits.replies import reply_json  # noqa: PLC0415

    request = read_body(Path(task.body), task.content_type, options=task.options, most=task.most)
    with breaking_down("the fit"):
        reply = InProcessEngine().calibrate(request, on_cycle=progress)
    Path(task.result).write_bytes(reply_json(request, reply, now=datetime.now(UTC)))
    return {"cycles": reply.fit.cycles, "converged": reply.fit.converged, "n_answers": request.observations.n_answers}


def score(task: Task, _progress: Progress) -> dict[str, object]:
    """A large body of POST /irt/score, worked off like a small one."""
    from thetaline.api import ScoreRequest  # noqa: PLC0415
    from thetaline.service.scoring import asked  # noqa: PLC0415

    request = ScoreRequest.model_validate_json(_body(task))
    Path(task.result).write_bytes(asked(request, most=task.most).scored())
    return {}


def link(task: Task, _progress: Progress) -> dict[str, object]:
    """A body of POST /irt/link with many items."""
    from thetaline.api import LinkRequest  # noqa: PLC0415
    from thetaline.service.linking import link_json  # noqa: PLC0415

    Path(task.result).write_bytes(link_json(LinkRequest.model_validate_json(_body(task))))
    return {}


def information(task: Task, _progress: Progress) -> dict[str, object]:
    """A body of POST /irt/information with many items."""
    from thetaline.api import InformationRequest  # noqa: PLC0415
    from thetaline.service.selection import given_bank, information_json  # noqa: PLC0415

    request = InformationRequest.model_validate_json(_body(task))
    Path(task.result).write_bytes(information_json(given_bank(request), request))
    return {}


def next_items(task: Task, _progress: Progress) -> dict[str, object]:
    """A body of POST /irt/next-items with many items."""
    from thetaline.api import NextItemsRequest  # noqa: PLC0415
    from thetaline.service.selection import given_bank, next_items_json  # noqa: PLC0415

    request = NextItemsRequest.model_validate_json(_body(task))
    Path(task.result).write_bytes(next_items_json(given_bank(request), request))
    return {}


def _body(task: Task) -> bytes:
    return limits_of_process(task.most).require(Path(task.body).read_bytes())


Work = Callable[[Task, Progress], dict[str, object]]


def _kinds() -> Mapping[str, Work]:
    """What a worker can do; the numerical library is loaded before the first task asks for it."""
    import thetaline.jobs.calibration.in_process_engine  # noqa: F401, PLC0415

    return {
        "calibrate": calibrate,
        "score": score,
        "link": link,
        "information": information,
        "next-items": next_items,
    }


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


def _defect(error: Exception, task: Task) -> Fault:
    log.error("a fit met a defect", task=task.kind, exc_info=error)
    return Fault(500, "the fit failed by a defect of the service; its log has the trace")


def _plain(detail: object) -> Any:
    return json.loads(json.dumps(detail, default=str))


def _finite(value: float) -> float | None:
    return value if value - value == 0 else None


if __name__ == "__main__":
    main()
