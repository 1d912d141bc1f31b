"""A learner's week computed again: the job's own function on one learner."""

from datetime import date, datetime
from typing import Any

import psycopg

from thetaline.db import queries
from thetaline.errors import InputError
from thetaline.jobs.kpis import compute
from thetaline.jobs.runner import JobContext
from thetaline.service.http_errors import ApiError
from thetaline.settings import Settings


def recompute_week(
    conn: psycopg.Connection[Any], user_id: str, week_start: date, *, as_of: date, now: datetime, settings: Settings
) -> dict[str, Any] | None:
    """The week's row after the recompute as of a day of that week that is over. Raises a 404."""
    context = JobContext(
        name=compute.JOB,
        settings=settings,
        url=settings.database_url or "",  # a recompute reads through its connection only
        conn=conn,
        as_of=as_of,
        now=now,
        dry_run=False,
    )
    try:
        compute.recompute(context, [user_id])
    except InputError as error:
        raise ApiError(404, str(error)) from None
    return next((week for week in queries.kpis(conn, user_id, 520) if week["week_start"] == week_start), None)
