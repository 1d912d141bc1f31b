"""A plugin of coverage.py: a process that a test started saves its lines every moment, since it may end by kill -9."""

import os
import threading
import time
from typing import Any

import coverage

LABEL = "THETALINE_REACH_LABEL"  # for which test, or fixture wider than a test, this process was started
EVERY_SECS = 0.2


def coverage_init(registry: Any, options: Any) -> None:
    del registry, options
    if os.environ.get(LABEL):
        threading.Thread(target=_save_for_ever, daemon=True).start()


def _save_for_ever() -> None:
    while True:
        time.sleep(EVERY_SECS)
        if measured := coverage.Coverage.current():
            measured.save()
