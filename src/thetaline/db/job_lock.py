"""The lock of a job: one session of the database holds it, so that one run of the job is under way at a time."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from thetaline.db.connection import Connection
from thetaline.db.statements import sql
from thetaline.errors import LockedError

SQL = sql("db/job_lock.sql")
# Seconds, five in all: a server under load may hold a dead session's locks for that long before it notices.
WAITS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56)


@dataclass(frozen=True, slots=True)
class Holder:
    """The session that holds a job's lock, with the run that is open under it; without one it begins or ends."""

    session: str
    connected_at: datetime
    run_id: str | None
    host: str | None
    pid: int | None
    started_at: datetime | None

    def __str__(self) -> str:
        """Who it is, for people."""
        if self.run_id is None:
            return f"{self.session or 'another session'}, connected since {self.connected_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"run {self.run_id}, process {self.pid} on {self.host}, since {self.started_at:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def is_alive(self) -> bool:
        """Whether its run's process surely lives; one on another host cannot be asked."""
        return self.pid is not None and self.host == socket.gethostname() and _exists(self.pid)


@contextlib.contextmanager
def hold(conn: Connection, job: str, *, waits: Sequence[float] = WAITS) -> Iterator[None]:
    """Hold the lock for the block, and give it back before the connection closes.

    A holder that may be gone is waited for, `waits` seconds between the looks. Raises `LockedError` naming one that
    lives, or is there at the last look still.
    """
    _take(conn, job, waits)
    try:
        yield
    finally:
        # Closing the connection is not enough: the server lets go some time after the client has left.
        with contextlib.suppress(psycopg.Error):
            conn.execute(SQL["unlock"], {"job": job})


def holder(conn: Connection, job: str) -> Holder | None:
    """Who holds the lock; None when it is free."""
    with conn.cursor(row_factory=class_row(Holder)) as cursor:
        return cursor.execute(SQL["holder"], {"job": job}).fetchone()


def session_name(job: str) -> str:
    """The name of a session of this process that takes the lock; the holder's run is found by it."""
    return f"thetaline {job} {socket.gethostname()}:{os.getpid()}"


def _take(conn: Connection, job: str, waits: Sequence[float]) -> None:
    for wait in (*waits, None):
        if _try(conn, job):
            return
        found = holder(conn, job)
        if wait is None or (found is not None and found.is_alive):
            who = found or "a run that has just ended"
            raise LockedError(f"{job} is under way already: {who}; wait for it or end that process, then start again")
        time.sleep(wait)


def _try(conn: Connection, job: str) -> bool:
    row = conn.execute(SQL["try_lock"], {"job": job}).fetchone()
    return bool(row and row[0])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)  # somebody else's
    return True
