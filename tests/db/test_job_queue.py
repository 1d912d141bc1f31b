"""The queue of large fits: two workers never take one job, and neither waits for the other."""

from contextlib import ExitStack

import psycopg

from thetaline import db
from thetaline.db import job_queue


def add_job(conn: psycopg.Connection[object]) -> object:
    asked = {"kind": "calibrate", "token_name": "app", "content_type": "application/json"}
    return job_queue.add_job(conn, [b"{}"], **asked, options={})


def claim(conn: psycopg.Connection[object], worker: str) -> object:
    job = job_queue.claim_job(conn, worker=worker, lease_secs=60, max_attempts=3)
    return job and job.job_id


def test_two_claims_at_once_take_two_jobs_and_a_third_finds_none(database: str) -> None:
    with db.connect(database) as conn:
        jobs = [add_job(conn) for _ in range(2)]
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(db.connect(database)) for _ in range(3))
        for conn in (first, second, third):
            conn.execute("set lock_timeout = '60s'")  # a claim that waits for another's end fails
        taken = [claim(first, "a"), claim(second, "b"), claim(third, "c")]  # none has committed
    assert taken == [*jobs, None]


def test_a_claim_that_is_rolled_back_leaves_the_job_to_the_next(database: str) -> None:
    with db.connect(database) as conn, db.connect(database) as other:
        job = add_job(conn)
        conn.commit()
        assert claim(conn, "a") == job
        conn.rollback()
        assert claim(other, "b") == job
