"""The run ledger: a row a run that outlives its failure, one run of a job at a time, orphans closed at the next."""

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import count

import psycopg

from thetaline.db import job_lock
from thetaline.db.connection import Connection, connect
from thetaline.db.jsonb import to_json
from thetaline.db.statements import sql
from thetaline.errors import DatabaseError, JobError
from thetaline.masking import mask_text

SQL = sql("db/ledger.sql")
PREFIXES = {"mirt_calibrate": "fit"}  # the contract's run ids; other jobs bear their own name
LONGEST_ERROR = 4000


class RunState(StrEnum):
    """Of a run; `PUBLISHED` is what the current views show."""

    RUNNING = "running"
    DONE = "done"
    PUBLISHED = "published"
    HELD = "held"
    FAILED = "failed"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run under way; `conn` is the ledger's own (autocommit), which holds the job's lock until the run ends."""

    run_id: str
    job: str
    as_of: date
    conn: Connection


@dataclass(frozen=True, slots=True)
class HeldJob:
    """A job whose lock is ours; `conn` is the ledger's own connection (autocommit), which holds it."""

    url: str
    job: str
    conn: Connection


@contextlib.contextmanager
def open_run(
    url: str,
    job: str,
    *,
    as_of: date,
    now: datetime,
    settings: Mapping[str, object] | None = None,
    summary: Mapping[str, object] | None = None,
) -> Iterator[OpenRun]:
    """Take the job's lock, close its orphans, write a row `running`; at the end the row is closed whatever happened.

    Work that publishes closes the run itself by `close_run`, in the transaction of its rows. A run that is left open
    becomes `done`, an exception (Ctrl-C too) makes it `failed` with the message; either way with `summary` as it stands
    by then. Raises `LockedError` naming the run that holds the lock, `DatabaseError` when the ledger cannot be reached.
    """
    with (
        hold_job(url, job) as held,
        record_run(held, as_of=as_of, now=now, settings=settings, summary=summary) as run,
    ):
        yield run


@contextlib.contextmanager
def hold_job(url: str, job: str) -> Iterator[HeldJob]:
    """Take the job's lock alone, for what has to be decided before there is a run. Raises as `open_run`."""
    with connect(url, name=job_lock.session_name(job), autocommit=True) as conn, job_lock.hold(conn, job):
        yield HeldJob(url, job, conn)


@contextlib.contextmanager
def record_run(
    held: HeldJob,
    *,
    as_of: date,
    now: datetime,
    settings: Mapping[str, object] | None = None,
    summary: Mapping[str, object] | None = None,
) -> Iterator[OpenRun]:
    """The rest of `open_run`, under a lock that is held."""
    held.conn.execute(SQL["close_orphans"], {"job": held.job})
    run = OpenRun(_insert(held, as_of=as_of, now=now, settings=settings or {}), held.job, as_of, held.conn)
    try:
        yield run
    except BaseException as error:
        _record_failure(held.url, run, error, summary)
        raise
    with contextlib.suppress(JobError):  # closed by the work already
        close_run(run.conn, run.run_id, RunState.DONE, summary=summary)


def close_run(
    conn: Connection,
    run_id: str,
    state: RunState,
    *,
    summary: Mapping[str, object] | None = None,
    error: str | None = None,
    reason: str | None = None,
) -> None:
    """Move a running run to its end, in the caller's transaction.

    Raises `JobError` when the run is not running any more (another start took it for an orphan): the caller's
    transaction must then not commit.
    """
    values = {
        "run_id": run_id,
        "state": state,
        "summary": to_json(summary or {}),
        "error": error,
        "reason": reason,
    }
    if conn.execute(SQL["close_run"], values).rowcount != 1:
        raise JobError(f"run {run_id} is not running any more in the ledger; nothing was stored")


def _insert(held: HeldJob, *, as_of: date, now: datetime, settings: Mapping[str, object]) -> str:
    stem = f"{PREFIXES.get(held.job, held.job)}-{now:%Y-%m-%dT%H:%M:%SZ}"
    values = {
        "job": held.job,
        "as_of": as_of,
        "started_at": now,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "settings": to_json(settings),
    }
    for number in count(1):
        run_id = stem if number == 1 else f"{stem}-{number}"
        if held.conn.execute(SQL["insert_run"], {**values, "run_id": run_id}).fetchone():
            return run_id
    raise AssertionError  # count() does not end


def _record_failure(url: str, run: OpenRun, error: BaseException, summary: Mapping[str, object] | None) -> None:
    """On the run's own connection, or a new one if the server went away; a run left open is closed as an orphan."""
    said = mask_text(f"{type(error).__name__}: {error}")[:LONGEST_ERROR].replace("\0", "")
    with contextlib.suppress(JobError):
        try:
            close_run(run.conn, run.run_id, RunState.FAILED, error=said, summary=summary)
        except psycopg.Error:
            with contextlib.suppress(DatabaseError, psycopg.Error), connect(url, autocommit=True) as fresh:
                close_run(fresh, run.run_id, RunState.FAILED, error=said, summary=summary)
