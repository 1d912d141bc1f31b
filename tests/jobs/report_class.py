"""A class with two weeks of answers, and the job that makes its reports."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from learners import (
    NOW,
    TODAY,
    Connection,
    bank_params,
    connected,
    context,
    publish_items,
    simulated,
    write_answers,
)

from thetaline.jobs.abilities import snapshot, weekly
from thetaline.jobs.reports.generate import ReportRequest, work

MONDAY = TODAY - timedelta(days=6)
USERS = [f"u{number:02d}" for number in range(12)]
ONE = ReportRequest(users=["u01"], classes=())


def write_class(url: str) -> None:
    """A class of twelve learners with two weeks of answers, their θ of the day and of the weeks."""
    rng = np.random.default_rng(3)
    params = bank_params(60, rng)
    with connected(url) as conn:
        publish_items(conn, params)
        theta = dict(zip(USERS, rng.normal(0, 1, 12).tolist(), strict=True))
        for days, items in ((3, range(1, 21)), (10, range(21, 41))):
            write_answers(conn, simulated(theta, params, items, rng, days_ago=(days,), topics=("algebra", "geometry")))
        conn.execute("insert into classroom (classroom_id, name) values ('7a', 'Class 7 A')")
        conn.execute(
            "insert into session (session_id, user_id, classroom_id, started_at)"
            " select 's-' || user_id, user_id, '7a', %s from learner",
            [NOW - timedelta(days=4)],
        )
        for job in (weekly, snapshot):
            job.work(context(conn, url, job.JOB))
        conn.commit()


def make(
    conn: Connection, url: str, folder: Path, request: ReportRequest | None = None, **options: Any
) -> dict[str, Any]:
    settings = {"report_folder": str(folder), **options.pop("settings", {})}
    found = work(context(conn, url, "generate_weekly_report", **settings, **options), request)
    conn.rollback()
    return dict(found)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(conn: Connection) -> list[tuple[Any, ...]]:
    query = (
        "select owner, format, object_key, content_hash, generated_at, superseded_at from stored_report order by 1, 2"
    )
    found = conn.execute(query).fetchall()
    conn.rollback()
    return found
