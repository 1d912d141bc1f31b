"""Wait for what another process or thread does, and never for time to pass."""

import time
from collections.abc import Callable

import psycopg


def wait_until(happened: Callable[[], bool], *, secs: float = 120.0) -> None:
    """Look again and again; the limit only ends a test that hangs, whatever else the machine does."""
    began = time.monotonic()
    while not happened():
        waited = time.monotonic() - began
        assert waited < secs, f"it has not happened within {secs:g} s"
        time.sleep(min(max(waited / 10, 0.005), 0.1))  # looking costs, too, often a connection


def waits_for_a_lock(url: str) -> Callable[[], bool]:
    """Whether a session of the database waits for a lock."""
    waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"

    def waits() -> bool:
        with psycopg.connect(url) as conn:
            return conn.execute(waiting).fetchone() is not None

    return waits
