"""The weekly series of a school: of each learner, of each classroom, of everybody."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from thetaline import db
from thetaline.db.bulk import read_columns
from thetaline.jobs.abilities.answers import LearnerAnswers, read_all_answers
from thetaline.jobs.abilities.classrooms import classrooms
from thetaline.jobs.arrays import Array, Int32s
from thetaline.jobs.forecast.cohorts import Cohorts, cohorts_of
from thetaline.jobs.runner import JobContext
from thetaline.jobs.terms import read_terms
from thetaline.learning.forecast import Metric, Panel, WeekCalendar, week_calendar
from thetaline.learning.windows import Window, last_days

WEEK_DAYS = 7
SQL = db.sql("jobs/forecast/panels.sql")
THETA_COLUMNS: dict[str, DTypeLike] = {
    "learner_no": np.int32,
    "week_start": "datetime64[D]",
    "theta": np.float64,
    "se": np.float64,
}
IMPROVEMENT_COLUMNS: dict[str, DTypeLike] = {
    "learner_no": np.int32,
    "week_start": "datetime64[D]",
    "improvement": np.float64,
}


@dataclass(frozen=True, slots=True, eq=False)
class SchoolSeries:
    """Of N learners (`learner_no`) and of cohorts, the first of which is everybody, over T weeks and H to come."""

    first_week: date
    learner_no: Int32s  # (N,) ascending
    classrooms: tuple[str | None, ...]  # (C,) None is everybody
    learners: Mapping[Metric, Panel]  # of N series
    cohorts: Mapping[Metric, Panel]  # of C series
    ahead: WeekCalendar  # (H,)
    items_run: str | None  # the calibration behind θ; None without weekly θ

    def monday(self, week: int) -> date:
        """Of a week by its position; those to come follow the last."""
        return self.first_week + timedelta(weeks=week)

    def fingerprint(self, *more: object) -> str:
        """Differs where a value of a learner or a cohort, the calendar, or one of `more` does."""
        digest = hashlib.sha256(repr((self.first_week, self.classrooms, more)).encode())
        digest.update(self.learner_no.tobytes())
        for panel in (*self.learners.values(), *self.cohorts.values()):
            for column in (panel.value, panel.size):
                digest.update(np.round(column, 9).tobytes())
            digest.update(panel.left_out.tobytes())
        digest.update(self.ahead.school_days.tobytes())
        digest.update(self.ahead.left_out.tobytes())
        return digest.hexdigest()


def read_series(context: JobContext, as_of: date) -> SchoolSeries:
    """Of PROPHET_LOOKBACK_WEEKS weeks up to a Sunday: all learners who answered in them."""
    n_weeks, n_ahead = context.settings.prophet_lookback_weeks, context.settings.prophet_forecast_weeks
    window = last_days(as_of, WEEK_DAYS * n_weeks)
    answers = read_all_answers(context.url, window, context.calendar)
    calendar = week_calendar(window.first_day, n_weeks + n_ahead, read_terms(context.conn))
    now = WeekCalendar(calendar.school_days[:n_weeks], calendar.left_out[:n_weeks])
    learners = _learner_panels(context, answers, window, now)
    stop = context.calendar.bounds(window)["stop"]
    cohorts = cohorts_of(classrooms(context, answers.learner_no, stop))
    return SchoolSeries(
        first_week=window.first_day,
        learner_no=answers.learner_no,
        classrooms=cohorts.names,
        learners=learners,
        cohorts=_cohort_panels(learners, cohorts),
        ahead=WeekCalendar(calendar.school_days[n_weeks:], calendar.left_out[n_weeks:]),
        items_run=_items_run(context, as_of),
    )


def _items_run(context: JobContext, as_of: date) -> str | None:
    row = context.conn.execute(SQL["items_run"], {"as_of": as_of}).fetchone()
    return None if row is None else row[0]


def _learner_panels(
    context: JobContext, answers: LearnerAnswers, window: Window, calendar: WeekCalendar
) -> dict[Metric, Panel]:
    weeks = calendar.left_out.size
    n, right = _counts(answers, window, weeks)
    begun = np.maximum.accumulate(n > 0, axis=1)
    # Before the first answer nothing is known; from there on a week without one is a week without activity.
    exposure = np.maximum(calendar.school_days, 1) / WEEK_DAYS + np.zeros_like(n)
    accuracy = np.divide(right, n, out=np.full(n.shape, np.nan), where=n > 0)
    values = {
        Metric.THETA: _read(context, "weekly_theta", THETA_COLUMNS, answers.learner_no, window),
        Metric.I_T: _read(context, "weekly_improvement", IMPROVEMENT_COLUMNS, answers.learner_no, window),
        Metric.ACCURACY: (accuracy, np.where(n > 0, n, np.nan)),
        Metric.ACTIVITY: (np.where(begun, n / exposure, np.nan), exposure),
    }
    shares = {Metric.ACTIVITY: calendar.school_days / WEEK_DAYS}
    return {
        metric: Panel(metric, value, size, calendar.left_out, shares.get(metric))
        for metric, (value, size) in values.items()
    }


def _counts(answers: LearnerAnswers, window: Window, weeks: int) -> tuple[Array, Array]:
    """(N, T) answers, and right ones."""
    given = answers.attempts.answered()
    cell = given.learner.astype(np.int64) * weeks + (given.day - window.start) // WEEK_DAYS
    shape = (answers.learner_no.size, weeks)
    n = np.bincount(cell, minlength=shape[0] * weeks)
    right = np.bincount(cell, given.correct, minlength=shape[0] * weeks)
    return n.reshape(shape).astype(float), right.reshape(shape).astype(float)


def _read(
    context: JobContext, statement: str, columns: Mapping[str, DTypeLike], learner_no: Int32s, window: Window
) -> tuple[Array, Array]:
    """(N, T) values and standard errors of a statement's rows; NaN where there is none."""
    parameters = {"first_week": window.first_day, "as_of": window.last_day}
    rows = read_columns(context.url, SQL[statement], columns, parameters=parameters)
    _, _, *given = rows.values()
    found = [np.full((learner_no.size, window.days // WEEK_DAYS), np.nan) for _ in range(2)]
    at = np.searchsorted(learner_no, rows["learner_no"])
    known = np.flatnonzero(at < learner_no.size)
    known = known[learner_no[at[known]] == rows["learner_no"][known]]
    week = (rows["week_start"][known].astype(np.int64) - window.start) // WEEK_DAYS
    for matrix, column in zip(found, given, strict=False):
        matrix[at[known], week] = column[known]
    return found[0], found[1]


def _cohort_panels(learners: Mapping[Metric, Panel], cohorts: Cohorts) -> dict[Metric, Panel]:
    def panel(metric: Metric, columns: tuple[NDArray[Any], NDArray[Any]]) -> Panel:
        return Panel(metric, *columns, learners[metric].left_out, learners[metric].school_share)

    accuracy, activity = learners[Metric.ACCURACY], learners[Metric.ACTIVITY]
    return {
        Metric.THETA: panel(Metric.THETA, cohorts.means(learners[Metric.THETA].value)),
        Metric.I_T: panel(Metric.I_T, cohorts.means(learners[Metric.I_T].value)),
        Metric.ACCURACY: panel(Metric.ACCURACY, cohorts.weighted(accuracy.value, accuracy.size)),
        Metric.ACTIVITY: panel(Metric.ACTIVITY, cohorts.weighted(activity.value, activity.size)),
    }
