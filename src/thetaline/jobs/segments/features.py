"""The features of all learners who answered in a window of weeks: activity, θ now, growth."""

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import psycopg

from thetaline import db
from thetaline.jobs.abilities.answers import read_all_answers
from thetaline.jobs.arrays import Array, Int32s
from thetaline.jobs.runner import JobContext
from thetaline.learning.segments import Feature, FeatureTable, activity_features
from thetaline.learning.windows import Window, last_days

SQL = db.sql("jobs/segments/features.sql")
Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class LearnerFeatures:
    """The table and the keys (N,) of its learners."""

    learner_no: Int32s
    table: FeatureTable
    items_run: str | None  # the calibration behind θ; None without θ

    def fingerprint(self, *more: object) -> str:
        """Differs where a feature, or one of `more`, does."""
        digest = hashlib.sha256(repr(more).encode())
        digest.update(self.learner_no.tobytes())
        digest.update(np.round(self.table.values, 9).tobytes())
        return digest.hexdigest()


def read_features(context: JobContext, as_of: date) -> LearnerFeatures:
    """Of CLUSTER_LOOKBACK_WEEKS weeks up to a Sunday."""
    window: Window = last_days(as_of, 7 * context.settings.cluster_lookback_weeks)
    answers = read_all_answers(context.url, window, context.calendar)
    columns = dict(activity_features(answers.attempts, window))
    users, columns[Feature.THETA] = _abilities(context, answers.learner_no, as_of)
    columns[Feature.THETA_SLOPE] = _slopes(context, answers.learner_no, as_of)
    names = tuple(Feature)
    values = np.column_stack([columns[name] for name in names])
    table = FeatureTable(np.array(users, np.str_), names, values)
    return LearnerFeatures(answers.learner_no, table, _items_run(context, as_of))


def _abilities(context: JobContext, learner_no: Int32s, as_of: date) -> tuple[list[str], Array]:
    """User ids and θ, in the order of the ascending keys; NaN without one."""
    parameters = {"learners": learner_no.tolist(), "as_of": as_of}
    rows = context.conn.execute(SQL["abilities"], parameters).fetchall()
    return [user for _, user, _ in rows], np.array([theta for _, _, theta in rows], float)


def _items_run(context: JobContext, as_of: date) -> str | None:
    row = context.conn.execute(SQL["items_run"], {"as_of": as_of}).fetchone()
    return None if row is None else row[0]


def _slopes(context: JobContext, learner_no: Int32s, as_of: date) -> Array:
    """θ a week of the newest mixed model, NaN of a learner it does not have."""
    found = dict(context.conn.execute(SQL["slopes"], {"as_of": as_of}).fetchall())
    return np.array([found.get(number, np.nan) for number in learner_no.tolist()], float)
