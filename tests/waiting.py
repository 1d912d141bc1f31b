"""Wait for what another process or thread does, and never for time to pass."""

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], bool], *, secs: float = 120.0) -> None:
    """Look again and again; the limit only ends a test that hangs, whatever else the machine does."""
    deadline = time.monotonic() + secs
    while not happened():
        assert time.monotonic() < deadline, f"it has not happened within {secs:g} s"
        time.sleep(0.005)
