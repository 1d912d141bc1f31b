"""The queue of large fits in PostgreSQL: every replica takes from it, a lease says who works on what."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from thetaline.db.connection import Connection
from thetaline.db.statements import sql
from thetaline.errors import JobError

SQL = sql("db/job_queue.sql")
Part = Literal["request", "result"]
Final = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """One row of `service_job`."""

    job_id: UUID
    kind: str
    state: str
    token_name: str
    content_type: str
    options: dict[str, Any]
    attempts: int
    progress: dict[str, Any] | None
    error: dict[str, Any] | None
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobLease:
    """Who works on a job; only the holder may report on it or close it."""

    job_id: UUID
    worker: str
    secs: float


def add_job(
    conn: Connection,
    body: Iterable[bytes],
    *,
    kind: str,
    token_name: str,
    content_type: str,
    options: Mapping[str, object],
    request_key: str | None = None,
) -> UUID:
    """Queue a request; its body goes in chunk by chunk, so that memory stays at one chunk.

    A request that comes again under its key gets the job that it has already.
    """
    asked = {"token_name": token_name, "request_key": request_key}
    values = {"kind": kind, "content_type": content_type, "options": Jsonb(dict(options)), **asked}
    row = conn.execute(SQL["add"], values).fetchone()
    if row is not None:
        _write(conn, row[0], "request", body)
    else:
        row = conn.execute(SQL["same_request"], asked).fetchone()
    if row is None:
        raise JobError("the database took no job; see its log")
    job_id: UUID = row[0]
    return job_id


def get_job(conn: Connection, job_id: UUID) -> QueuedJob | None:
    """The job as it is now."""
    return _one(conn, "get", {"job_id": job_id})


def claim_job(conn: Connection, *, worker: str, lease_secs: float, max_attempts: int) -> QueuedJob | None:
    """Take the oldest job that is queued or whose holder let its lease run out; close those that are beyond help."""
    conn.execute(SQL["bury"], {"max_attempts": max_attempts})
    return _one(conn, "claim", {"worker": worker, "lease_secs": lease_secs, "max_attempts": max_attempts})


def extend_lease(conn: Connection, lease: JobLease, progress: Mapping[str, object] | None) -> bool:
    """Say that the work goes on and how far it is; False when it is to stop: cancelled, or taken over by another."""
    values = {
        "job_id": lease.job_id,
        "worker": lease.worker,
        "lease_secs": lease.secs,
        "progress": None if progress is None else Jsonb(dict(progress)),
    }
    row = conn.execute(SQL["extend"], values).fetchone()
    return row is not None and not row[0]


def finish_job(conn: Connection, lease: JobLease, result: Iterable[bytes]) -> bool:
    """Store the result and close the job; False when it was no longer ours. In one transaction of the caller."""
    if not _close(conn, lease, "done", None):
        return False
    _write(conn, lease.job_id, "result", result)
    return True


def fail_job(conn: Connection, lease: JobLease, error: Mapping[str, object]) -> bool:
    """Close the job with the error body that a request would have got."""
    return _close(conn, lease, "failed", error)


def close_cancelled(conn: Connection, lease: JobLease) -> bool:
    """Close a job whose work was stopped on request."""
    return _close(conn, lease, "cancelled", None)


def requeue_job(conn: Connection, lease: JobLease, *, forgiven: bool) -> None:
    """Give the job back; `forgiven`: the attempt does not count, for it was we who stopped."""
    conn.execute(SQL["requeue"], {"job_id": lease.job_id, "worker": lease.worker, "forgiven": int(forgiven)})


def cancel_job(conn: Connection, job_id: UUID) -> QueuedJob | None:
    """Cancel what is queued, ask the holder to stop what runs; the job as it is after that."""
    conn.execute(SQL["cancel"], {"job_id": job_id})
    return get_job(conn, job_id)


def job_body(conn: Connection, job_id: UUID, part: Part) -> Iterator[bytes]:
    """The stored body, chunk by chunk."""
    number = 0
    while chunk := body_chunk(conn, job_id, part, number):
        yield chunk
        number += 1


def body_chunk(conn: Connection, job_id: UUID, part: Part, number: int) -> bytes | None:
    """One chunk; None after the last."""
    row = conn.execute(SQL["read_chunk"], {"job_id": job_id, "part": part, "chunk_no": number}).fetchone()
    return None if row is None else bytes(row[0])


def count_jobs(conn: Connection) -> dict[str, int]:
    """How many jobs are in each state."""
    return dict(conn.execute(SQL["count_by_state"]).fetchall())


def forget_jobs(conn: Connection, *, days: int) -> int:
    """Delete jobs that ended longer ago, their results with them."""
    return conn.execute(SQL["forget"], {"days": days}).rowcount


def _write(conn: Connection, job_id: UUID, part: Part, body: Iterable[bytes]) -> None:
    for number, data in enumerate(body):
        conn.execute(SQL["add_chunk"], {"job_id": job_id, "part": part, "chunk_no": number, "data": data})


def _close(conn: Connection, lease: JobLease, state: Final, error: Mapping[str, object] | None) -> bool:
    values = {
        "job_id": lease.job_id,
        "worker": lease.worker,
        "state": state,
        "error": None if error is None else Jsonb(dict(error)),
    }
    if conn.execute(SQL["close"], values).fetchone() is None:
        return False
    conn.execute(SQL["forget_body"], {"job_id": lease.job_id, "part": "request"})  # nobody will work on it again
    return True


def _one(conn: Connection, statement: str, values: Mapping[str, object]) -> QueuedJob | None:
    with conn.cursor(row_factory=class_row(QueuedJob)) as cursor:
        return cursor.execute(SQL[statement], values).fetchone()
