"""The table `school_calendar`: what is in it, and what a file puts in place of what it held before."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from thetaline import db
from thetaline.learning.term_calendar import Period, PeriodKind, TermCalendar

SQL = db.sql("jobs/terms/terms.sql")
Connection = psycopg.Connection[Any]


class StoredPeriod(NamedTuple):
    """A period and the import that it came with."""

    period: Period
    source: str


def stored_periods(conn: Connection) -> list[StoredPeriod]:
    """All of them, the earliest first."""
    rows = conn.execute(SQL["periods"]).fetchall()
    return [
        StoredPeriod(Period(first, last, PeriodKind(kind), name), source) for first, last, kind, name, source in rows
    ]


def read_terms(conn: Connection) -> TermCalendar:
    """The school's calendar; without an import every day is a school day."""
    return TermCalendar(tuple(one.period for one in stored_periods(conn)))


def replace_periods(conn: Connection, source: str, periods: Sequence[Period]) -> int:
    """Put the periods in place of those of the same source; the number of those."""
    n_before = conn.execute(SQL["delete_source"], {"source": source}).rowcount
    with conn.cursor() as cursor:
        cursor.executemany(SQL["insert_period"], [{"source": source, **one._asdict()} for one in periods])
    return n_before
