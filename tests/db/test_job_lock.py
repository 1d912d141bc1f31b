"""The lock of a job: free when its run has ended, waited for where its holder is gone, refused where it lives."""

import os
import socket
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime

import psycopg
import pytest

from thetaline import db
from thetaline.db import job_lock, ledger
from thetaline.errors import LockedError
from waiting import wait_until

JOB = "snapshot_theta"
DAY = date(2025, 11, 2)
NOW = datetime(2025, 11, 2, 4, 15, 23, tzinfo=UTC)
FOR_EVER = (3600.0,)


def take(conn: job_lock.Connection) -> None:
    conn.execute(job_lock.SQL["try_lock"], {"job": JOB})


def begin_run(conn: job_lock.Connection, *, host: str, pid: int) -> None:
    """A run as a process left it that was killed."""
    run = {"run_id": "killed", "job": JOB, "as_of": DAY, "started_at": NOW, "host": host, "pid": pid, "settings": "{}"}
    conn.execute(ledger.SQL["insert_run"], run)


def session(url: str, *, host: str | None = None, pid: int | None = None) -> job_lock.Connection:
    """A session that holds the lock, under the name of that process."""
    conn = db.connect(url, name=f"thetaline {JOB} {host or socket.gethostname()}:{pid or os.getpid()}", autocommit=True)
    take(conn)
    return conn


def start_and_end(url: str) -> str:
    with ledger.open_run(url, JOB, as_of=DAY, now=NOW) as run:
        return run.run_id


def has_been_refused(url: str) -> bool:
    """Whether some session has asked for the lock in vain and looks who holds it."""
    looking = """select count(*) from pg_stat_activity
        where query like '%pg_locks%' and pid <> pg_backend_pid() and datname = current_database()"""
    with psycopg.connect(url) as conn:
        return conn.execute(looking).fetchone() == (1,)


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        return child.pid


@pytest.mark.parametrize("error", [None, ZeroDivisionError, KeyboardInterrupt])
def test_the_lock_is_free_at_the_end_of_its_block_while_its_session_lives_on(
    database: str, error: type[BaseException] | None
) -> None:
    with db.connect(database, autocommit=True) as conn, db.connect(database, autocommit=True) as other:
        try:
            with job_lock.hold(conn, JOB):
                assert job_lock.holder(other, JOB) is not None
                if error:
                    raise error
        except (ZeroDivisionError, KeyboardInterrupt):
            pass
        assert job_lock.holder(other, JOB) is None
        with job_lock.hold(other, JOB, waits=()):
            pass


@pytest.mark.parametrize("of", ["a run that has ended", "a process that was killed", "a host that has vanished"])
def test_a_start_waits_for_a_session_whose_holder_is_gone(database: str, of: str) -> None:
    host = "elsewhere" if of == "a host that has vanished" else socket.gethostname()
    pid = ended_process() if of == "a process that was killed" else os.getpid()
    with ThreadPoolExecutor(1) as threads, closing(session(database, host=host, pid=pid)) as held:
        if of != "a run that has ended":
            begin_run(held, host=host, pid=pid)
        start: Future[str] = threads.submit(start_and_end, database)
        wait_until(lambda: has_been_refused(database))
        assert not start.done()
        held.close()
        assert start.result() == "snapshot_theta-2025-11-02T04:15:23Z"


@pytest.mark.timeout(60)
def test_a_run_whose_process_lives_is_not_waited_for(database: str) -> None:
    with (
        ledger.open_run(database, JOB, as_of=DAY, now=NOW) as run,
        db.connect(database, autocommit=True) as conn,
        pytest.raises(LockedError, match=f"{JOB} is under way already: run {run.run_id}, process {os.getpid()} on"),
        job_lock.hold(conn, JOB, waits=FOR_EVER),
    ):
        pass


def test_a_holder_that_stays_is_named_when_the_waits_are_over(database: str) -> None:
    with db.connect(database, name="by hand", autocommit=True) as other, db.connect(database) as conn:
        take(other)
        with (
            pytest.raises(LockedError, match=f"{JOB} is under way already: by hand, connected since"),
            job_lock.hold(conn, JOB, waits=(0.0, 0.0)),
        ):
            pass
        assert job_lock.holder(conn, "another job") is None


def test_a_session_that_is_gone_gives_its_lock_back_without_a_fault(database: str) -> None:
    with db.connect(database, autocommit=True) as conn, db.connect(database, autocommit=True) as other:
        with job_lock.hold(conn, JOB):
            other.execute("select pg_terminate_backend(%s, 60000)", [conn.info.backend_pid])
        assert job_lock.holder(other, JOB) is None
