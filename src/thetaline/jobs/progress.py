"""Progress of long work: a live line on a terminal, else a log line every ten seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from thetaline import logs

LOG_EVERY_SECS = 10.0

Update = Callable[..., None]  # update(done, note="…")


@contextmanager
def progress(label: str, *, total: float | None = None) -> Iterator[Update]:
    """Yield `update(done, note="")`: how much of `total` is done, and a note to show."""
    if sys.stderr.isatty():
        yield from _on_terminal(label, total)
    else:
        yield _logged(label)


def _on_terminal(label: str, total: float | None) -> Iterator[Update]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, note="")
        yield lambda done, note="": bar.update(task, completed=done, note=note)


def _logged(label: str) -> Update:
    log = logs.get_logger(__name__)
    last = time.monotonic()

    def update(done: float, note: str = "") -> None:
        nonlocal last
        if time.monotonic() - last >= LOG_EVERY_SECS:
            last = time.monotonic()
            log.info(label, done=done, note=note)

    return update
