"""Which nights an outage has swallowed, by the ledger."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from thetaline import db
from thetaline.learning.school_calendar import DAY, SchoolCalendar

SQL = db.sql("jobs/nightly/missed.sql")
MOST_MADE_UP = 7  # a night may take an hour, and tonight's must not wait for a month of them
LOOK_BACK = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class MissedNights:
    """The days since the last complete night, oldest first: the newest are to be made up, the others only named."""

    to_make_up: Sequence[dt.date] = ()
    left_out: Sequence[dt.date] = ()


def missed_nights(
    conn: psycopg.Connection[Any], calendar: SchoolCalendar, *, before: dt.date, jobs: Sequence[str]
) -> MissedNights:
    """The days before `before` and after the last one on which every job has succeeded; none where there is no such.

    A day whose calibration is held waits for a person and is not missed. Runs that began before their day was over
    do not count.
    """
    parameters = {"jobs": list(jobs), "first": before - LOOK_BACK, "last": before}
    rows = conn.execute(SQL["newest_runs"], parameters).fetchall()
    ended = {(day, job, held) for day, job, held, started in rows if started >= calendar.start_of(day + DAY)}
    complete = [day for day in {day for day, *_ in ended} if all((day, job, False) in ended for job in jobs)]
    if not complete:
        return MissedNights()
    held_days = {day for day, job, held in ended if held and (day, job, False) not in ended}
    missed = tuple(day for day in _between(max(complete), before) if day not in held_days)
    return MissedNights(missed[-MOST_MADE_UP:], missed[:-MOST_MADE_UP])


def _between(first: dt.date, last: dt.date) -> list[dt.date]:
    """The days after `first` and before `last`."""
    return [first + DAY * number for number in range(1, (last - first).days)]
