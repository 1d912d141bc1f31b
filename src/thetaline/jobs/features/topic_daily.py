"""Daily features of each (user, topic): numbers of answers, times, hints, θ of the day. A rerun gives the same rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg

from thetaline import db
from thetaline.errors import InputError
from thetaline.jobs.abilities.answers import learner_numbers
from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar
from thetaline.learning.windows import Window, day_number

SQL = db.sql("jobs/features/topic_daily.sql")
Connection = psycopg.Connection[Any]


class KnownTheta(NamedTuple):
    """θ of a (user, topic) with its posterior standard deviation; `source` is "topic", or "general" as the fallback."""

    theta: float
    se: float
    source: str


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """Rows of a backfill: days with answers, days whose answers are gone, days without activity."""

    days: int
    vanished: int
    idle: int


def load_user_topic_theta(
    conn: Connection, user_ids: Sequence[str], *, as_of: date, topic_ids: Sequence[str] | None = None
) -> dict[tuple[str, str], KnownTheta]:
    """{(user_id, topic_id): θ} of a day: the newest topic θ of that day or earlier, else the general θ.

    Of the given topics, or of all; a pair for which neither is known is absent.
    """
    topics = None if topic_ids is None else list(topic_ids)
    parameters = {"user_ids": list(user_ids), "topic_ids": topics, "day": as_of}
    rows = conn.execute(SQL["topic_theta"], parameters).fetchall()
    return {(user_id, topic_id): KnownTheta(theta, se, source) for user_id, topic_id, theta, se, source in rows}


def backfill_features_topic_daily(
    conn: Connection,
    *,
    start: date,
    end: date,
    now: datetime,
    with_theta: bool = True,
    idle_days: bool = False,
    calendar: SchoolCalendar = UTC_DAYS,
) -> FeatureCounts:
    """Make the rows of every (user, topic) for the days `start` to `end`, both included, in the caller's transaction.

    Run again, it gives the same rows; without θ it leaves θ that is stored alone. `idle_days` also writes rows for days
    without activity, from the first day that a pair was seen on. Days are UTC's unless `calendar` has others. Raises
    InputError where `end` comes before `start`.
    """
    bounds = {**_bounds(start, end, calendar), "now": now, "with_theta": with_theta}
    return _backfill(conn, bounds, learners=None, idle_days=idle_days)


def backfill_user_topic_range(
    conn: Connection,
    user_id: str,
    *,
    start: date,
    end: date,
    now: datetime,
    with_theta: bool = True,
    idle_days: bool = False,
    calendar: SchoolCalendar = UTC_DAYS,
) -> FeatureCounts:
    """As `backfill_features_topic_daily`, for one user. Raises InputError for a user without a stored answer too."""
    learner = learner_numbers(conn, [user_id])[user_id]
    bounds = {**_bounds(start, end, calendar), "now": now, "with_theta": with_theta}
    return _backfill(conn, bounds, learners=[learner], idle_days=idle_days)


def _bounds(start: date, end: date, calendar: SchoolCalendar) -> dict[str, object]:
    if end < start:
        raise InputError(f"the range ends on {end}, before it starts on {start}")
    window = Window(day_number(start), day_number(end) + 1)
    return {"first_day": start, "last_day": end, "starts": calendar.day_starts(window), **calendar.bounds(window)}


def _backfill(
    conn: Connection, bounds: dict[str, object], *, learners: list[int] | None, idle_days: bool
) -> FeatureCounts:
    parameters = {**bounds, "learners": learners}
    conn.execute(SQL["make_days"])
    days = conn.execute(SQL["aggregate_days"], parameters).rowcount
    conn.execute(SQL["analyze_days"])
    with _without_memoize(conn):
        conn.execute(SQL["upsert_features"], parameters)
    vanished = conn.execute(SQL["delete_vanished"], parameters).rowcount
    conn.execute(SQL["drop_days"])
    idle = conn.execute(SQL["insert_idle_days"], parameters).rowcount if idle_days else 0
    return FeatureCounts(days, vanished, idle)


@contextmanager
def _without_memoize(conn: Connection) -> Iterator[None]:
    """Set enable_memoize off, then back to the caller's value; a rollback does so too."""
    (before, _), *_ = conn.execute(SQL["memoize_off"]).fetchall()
    yield
    conn.execute(SQL["set_memoize"], {"before": before})
