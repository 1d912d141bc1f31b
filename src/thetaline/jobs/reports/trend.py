"""θ over the weeks: weekly measures and the growth line, and what their slopes say together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import psycopg

from thetaline import db
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.learning.weekly_slope import own_slopes
from thetaline.learning.windows import week_number
from thetaline.reports.findings import LEAST_WEEKS, headline_change
from thetaline.reports.value import Absent, Change, Estimate, GrowthLine, WeeklyMeasure

SQL = db.sql("jobs/reports/trend.sql")
SHOWN_WEEKS = 12
WEEK = timedelta(weeks=1)
Connection = psycopg.Connection[Any]
Measures = Mapping[int, tuple[WeeklyMeasure, ...]]


class StoredLine(NamedTuple):
    """A row of growth_line; level and slope are those at the end of the run's last week."""

    level: float
    level_se: float
    slope: float
    slope_se: float
    correlation: float
    n_weeks: int
    bend_week: date | None

    def at(self, weeks_ahead: int) -> Estimate:
        """θ of the line that many weeks after the run's last."""
        cross = self.correlation * self.level_se * self.slope_se
        variance = self.level_se**2 + 2 * weeks_ahead * cross + (weeks_ahead * self.slope_se) ** 2
        return Estimate(self.level + weeks_ahead * self.slope, sqrt(max(variance, 0.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Trends:
    """By learner_no: weekly measures, their slopes, growth lines."""

    measures: Measures
    own_slopes: Mapping[int, Estimate]
    lines: Mapping[int, StoredLine]


def read_trends(conn: Connection, runs: WeekRuns, learners: Sequence[int]) -> Trends:
    """What is stored of these learners; the slopes of their own weeks are computed."""
    measures = weekly_measures(conn, runs, learners)
    return Trends(measures, slopes_of_measures(measures), stored_lines(conn, runs, learners))


def weekly_measures(conn: Connection, runs: WeekRuns, learners: Iterable[int]) -> Measures:
    """Of the last 12 weeks, oldest first, by learner_no."""
    found: dict[int, list[WeeklyMeasure]] = defaultdict(list)
    values = {"run_id": runs.weekly_theta, "learners": list(learners), "week": runs.week, "weeks": SHOWN_WEEKS}
    for number, week, theta, se, n in conn.execute(SQL["weekly_measures"], values):
        found[number].append(WeeklyMeasure(week, Estimate(theta, se), n))
    return {number: tuple(measures) for number, measures in found.items()}


def slopes_of_measures(measures: Measures) -> dict[int, Estimate]:
    """The slope a week of each learner's own measures; absent below two weeks."""
    numbers = list(measures)
    rows = [(place, one) for place, number in enumerate(numbers) for one in measures[number]]
    learner = np.array([place for place, _ in rows], np.int32)
    week = np.array([week_number(one.week) for _, one in rows], np.int32)
    theta, se = np.array([(one.theta.value, one.theta.se) for _, one in rows], float).reshape(-1, 2).T
    slope, slope_se = own_slopes(learner, week, theta, se, len(numbers))
    known = np.flatnonzero(np.isfinite(slope)).tolist()
    return {numbers[place]: Estimate(float(slope[place]), float(slope_se[place])) for place in known}


def stored_lines(conn: Connection, runs: WeekRuns, learners: Iterable[int]) -> dict[int, StoredLine]:
    """By learner_no."""
    values = {"run_id": runs.growth, "learners": list(learners)}
    return {number: StoredLine(*line) for number, *line in conn.execute(SQL["growth_lines"], values)}


def growth_line(runs: WeekRuns, line: StoredLine | None, measures: Sequence[WeeklyMeasure]) -> GrowthLine | Absent:
    """The line through the weeks shown; a plateau's through those since it began."""
    if line is None:
        return Absent.NOT_FITTED if runs.growth is None else Absent.TOO_FEW_WEEKS
    if line.n_weeks < LEAST_WEEKS:
        return Absent.TOO_FEW_WEEKS
    now = runs.weeks_since_growth
    first = max([measures[0].week if measures else runs.week, *([line.bend_week] if line.bend_week else [])])
    n_back = max((runs.week - first).days // 7, 0)
    return GrowthLine(
        level=line.at(now),
        slope=Estimate(line.slope, line.slope_se),
        n_weeks=line.n_weeks,
        bend_week=line.bend_week,
        fitted=tuple((runs.week - back * WEEK, line.at(now - back)) for back in reversed(range(n_back + 1))),
    )


def change_of(line: GrowthLine | Absent | None, own: Estimate | None, n_answers: int) -> Change:
    """What a week's page leads with; UNKNOWN without a line or without answers in the week."""
    if not isinstance(line, GrowthLine) or not n_answers:
        return Change.UNKNOWN
    return headline_change(line.slope, own, line.n_weeks, level_since=line.bend_week)
