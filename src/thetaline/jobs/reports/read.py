"""The weeks of learners and of classes as values, a cohort at a time by a handful of set-based queries."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import psycopg

from thetaline.errors import InputError
from thetaline.jobs.reports.chunk import Shared
from thetaline.jobs.reports.classes import ClassRows, class_report
from thetaline.jobs.reports.learners import Classroom, read_cohort
from thetaline.jobs.reports.runs import runs_of_week
from thetaline.jobs.reports.standing import Groups
from thetaline.jobs.reports.weekly import reports_of
from thetaline.learning.windows import monday
from thetaline.reports.class_value import ClassReport
from thetaline.reports.policy import ReportOptions
from thetaline.reports.value import Audience, WeeklyReport

HASHED_DECIMALS = 9
CHUNK = 2_000  # learners whose rows are in memory at a time
Connection = psycopg.Connection[Any]


def weekly_reports(
    conn: Connection, week: date, users: Sequence[str] | None = None, *, options: ReportOptions
) -> Iterator[WeeklyReport]:
    """A report of each learner, in the order of user ids: of the users named, or of all who answered in 12 weeks.

    `week` is a Monday whose week is over; numbers are those that were published by its Sunday and are not retracted.
    Raises InputError for another day and for a user without any answer.
    """
    runs = runs_of_week(conn, _checked(week))
    cohort = read_cohort(conn, runs.as_of, users, options.calendar)
    groups = Groups.read(conn, runs, cohort) if options.policy.shows_percentile(options.audience) else None
    return _in_chunks(conn, Shared.read(conn, runs, cohort, options, groups))


def _in_chunks(conn: Connection, shared: Shared) -> Iterator[WeeklyReport]:
    learners = list(shared.cohort.user_ids)
    for start in range(0, len(learners), CHUNK):
        yield from reports_of(conn, shared, learners[start : start + CHUNK])


def class_reports(
    conn: Connection, week: date, classrooms: Sequence[str] | None = None, *, options: ReportOptions
) -> Iterator[ClassReport]:
    """A report of each class, in the order of ids: of those named, or of all with learners who answered in 12 weeks.

    Raises InputError for another day than a Monday, for a class without such learners, and for another reader than a
    teacher.
    """
    if options.audience is not Audience.TEACHER:
        raise InputError(f"a class's page is for its teacher, not for {options.audience}; ask for the audience teacher")
    runs = runs_of_week(conn, _checked(week))
    cohort = read_cohort(conn, runs.as_of, None, options.calendar)
    members = {one.classroom_id: (one, numbers) for one, numbers in cohort.by_class().items()}
    if unknown := [one for one in classrooms or () if one not in members]:
        raise InputError(f"nobody of class {', '.join(map(repr, unknown[:5]))} answered in 12 weeks; check the id")
    chosen = [members[one] for one in sorted(set(classrooms or members))]
    return _classes_in_chunks(conn, Shared.read(conn, runs, cohort, options), chosen)


def _classes_in_chunks(
    conn: Connection, shared: Shared, classes: list[tuple[Classroom, list[int]]]
) -> Iterator[ClassReport]:
    """As many classes at a time as have a chunk of learners."""
    waiting: list[tuple[Classroom, list[int]]] = []
    for place, one in enumerate(classes, start=1):
        waiting.append(one)
        if place == len(classes) or sum(len(numbers) for _, numbers in waiting) >= CHUNK:
            rows = ClassRows.read(conn, shared, [number for _, numbers in waiting for number in numbers])
            yield from (class_report(classroom, numbers, rows, shared) for classroom, numbers in waiting)
            waiting = []


def input_hash(report: WeeklyReport | ClassReport) -> str:
    """SHA-256 of everything that the report says: equal for equal values, whenever and with whomever they were read.

    Floats count to 9 decimals: in another chunk a learner's sums are taken in another order.
    """
    return hashlib.sha256(json.dumps(_plain(report), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _plain(value: object) -> object:
    """Values of JSON; dates by their ISO form."""
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, float):
        return round(value, HASHED_DECIMALS) + 0.0  # no −0.0
    return value.isoformat() if isinstance(value, date) else value


def _checked(week: date) -> date:
    if monday(week) != week:
        raise InputError(f"{week} is no Monday; the week of that day is {monday(week)}")
    return week
