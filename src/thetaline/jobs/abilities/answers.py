"""The answers of a window, of all learners or of some, as arrays in the order in which they were given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from thetaline import db
from thetaline.db.bulk import read_columns
from thetaline.errors import InputError
from thetaline.jobs.arrays import Int32s, Mask
from thetaline.learning.attempts import Attempts, first_per_pair
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import Window

SQL = db.sql("jobs/abilities/answers.sql")
DTYPES: dict[str, Any] = {
    "learner_no": np.int32,
    "item_no": np.int32,
    "topic_no": np.int32,
    "ordinal": np.int32,
    "correct": np.int16,
    "hint": np.int16,
    "time_ms": np.int32,
    "session": np.int32,
    "answered_at": "datetime64[us]",
}
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, eq=False)
class LearnerAnswers:
    """M answers by learner, instant and place in the session; `attempts.learner` is a position in `learner_no` (N,)."""

    learner_no: Int32s
    topic_no: Int32s  # (M,) 0 is none
    attempts: Attempts  # whose items are item_no

    @property
    def n_answers(self) -> int:
        """M."""
        return int(self.topic_no.size)

    def where(self, mask: Mask) -> "LearnerAnswers":
        """Those under an (M,) mask; the learners stay."""
        return LearnerAnswers(self.learner_no, self.topic_no[mask], self.attempts.where(mask))

    def first_known(self) -> "LearnerAnswers":
        """The first answer of each learner to each item, unanswered questions left out: what θ is estimated from."""
        known = np.flatnonzero(self.attempts.correct >= 0)
        first = np.zeros(self.n_answers, bool)
        first[known[first_per_pair(self.attempts.learner[known], self.attempts.item[known])]] = True
        return self.where(first)


def read_all_answers(url: str, window: Window, calendar: SchoolCalendar) -> LearnerAnswers:
    """Answers of all learners inside the window, by a bulk copy on a connection of its own."""
    bounds = calendar.bounds(window)
    return sorted_answers(read_columns(url, SQL["answers_of_all"], DTYPES, parameters=bounds), calendar)


def read_answers(
    conn: Connection, window: Window, learners: Sequence[int], *, calendar: SchoolCalendar
) -> LearnerAnswers:
    """Answers of some learners inside the window, through their index and in the caller's transaction."""
    bounds = calendar.bounds(window)
    rows = conn.execute(SQL["answers_of_learners"], {**bounds, "learners": list(learners)}).fetchall()
    columns = zip(*rows, strict=True) if rows else [()] * len(DTYPES)
    return sorted_answers({name: _column(values, name) for name, values in zip(DTYPES, columns, strict=True)}, calendar)


def learner_numbers(conn: Connection, user_ids: Sequence[str]) -> dict[str, int]:
    """Surrogate key of each user id. Raises InputError that names the users without a single answer."""
    found = dict(conn.execute(SQL["learner_numbers"], {"user_ids": list(user_ids)}).fetchall())
    if unknown := [user_id for user_id in user_ids if user_id not in found]:
        raise InputError(f"no answers of user {', '.join(map(repr, unknown[:5]))} are stored; check the id")
    return found


def sorted_answers(columns: dict[str, NDArray[Any]], calendar: SchoolCalendar) -> LearnerAnswers:
    """Sort the columns as read, emptying the dict, number the learners from 0 and tell the day of each answer."""
    at = columns.pop("answered_at").view(np.int64)
    order = np.lexsort((columns["session"], columns.pop("ordinal"), at, columns["learner_no"]))
    learner_no, learner = _codes(columns.pop("learner_no")[order])
    attempts = Attempts(
        learner=learner,
        item=columns.pop("item_no")[order],
        correct=columns.pop("correct").astype(np.int8)[order],
        day=calendar.day_numbers(at)[order],
        time_ms=columns.pop("time_ms")[order],
        hint=columns.pop("hint").astype(np.int8)[order],
        session=columns.pop("session")[order],
        n_learners=learner_no.size,
    )
    return LearnerAnswers(learner_no, columns.pop("topic_no")[order], attempts)


def _codes(ascending: Int32s) -> tuple[Int32s, Int32s]:
    starts = np.flatnonzero(np.diff(ascending, prepend=-1))
    counts = np.diff(np.append(starts, ascending.size))
    return ascending[starts], np.repeat(np.arange(starts.size, dtype=np.int32), counts)


def _column(values: tuple[Any, ...], name: str) -> NDArray[Any]:
    if name == "answered_at":
        values = tuple(value.replace(tzinfo=None) for value in values)
    return np.array(values, DTYPES[name])
