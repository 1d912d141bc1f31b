"""Of whom there are reports: the learners of the last weeks, their classes, and θ of a day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import psycopg

from thetaline import db
from thetaline.jobs.abilities.answers import learner_numbers
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import last_days
from thetaline.reports.value import Estimate

SQL = db.sql("jobs/reports/learners.sql")
ACTIVE_DAYS = 84  # who has not answered for longer is in no batch of all, and in no class
Connection = psycopg.Connection[Any]


class Classroom(NamedTuple):
    """A class; `name` is its id where it has no other."""

    classroom_id: str
    name: str


class Ability(NamedTuple):
    """θ of a day as it is stored."""

    run_id: str
    theta: Estimate
    n_answers: int


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The learners of a batch, by user id, and the classes of everybody of the last weeks."""

    user_ids: Mapping[int, str]  # by learner_no, in the order of the ids
    active: frozenset[int]
    classes: Mapping[int, Classroom]

    def by_class(self) -> dict[Classroom, list[int]]:
        """The active learners of each class, by its id."""
        found: dict[Classroom, list[int]] = defaultdict(list)
        for number, classroom in self.classes.items():
            if number in self.active:
                found[classroom].append(number)
        return dict(sorted(found.items()))

    def members(self, classroom_id: str) -> list[int]:
        """The active learners of one class."""
        return next((found for one, found in self.by_class().items() if one.classroom_id == classroom_id), [])


def read_cohort(conn: Connection, as_of: date, users: Sequence[str] | None, calendar: SchoolCalendar) -> Cohort:
    """All who answered in the last 12 weeks, or the users named. Raises InputError for one without any answer."""
    bounds = calendar.bounds(last_days(as_of, ACTIVE_DAYS))
    active = dict(conn.execute(SQL["active_learners"], bounds).fetchall())
    classes = {number: Classroom(one, name or one) for number, one, name in conn.execute(SQL["classes_of"], bounds)}
    if users is None:
        return Cohort(active, frozenset(active), classes)
    numbers = learner_numbers(conn, users)
    chosen = {number: user_id for user_id, number in sorted(numbers.items())}
    return Cohort(chosen, frozenset(active), classes)


def abilities_on(conn: Connection, learners: Iterable[int], as_of: date) -> dict[int, Ability]:
    """By learner_no; who has none is absent."""
    rows = conn.execute(SQL["abilities"], {"learners": list(learners), "as_of": as_of}).fetchall()
    return {number: Ability(run_id, Estimate(theta, se), n) for number, run_id, theta, se, n in rows}
