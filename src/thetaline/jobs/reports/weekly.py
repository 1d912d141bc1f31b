"""The reports of a chunk of learners, put together from the sections' modules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from thetaline.jobs.reports.learners import Ability, Cohort, abilities_on
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.jobs.reports.trend import (
    Measures,
    StoredLine,
    growth_line,
    slopes_of_measures,
    stored_lines,
    weekly_measures,
)
from thetaline.reports.findings import headline_change, level_of
from thetaline.reports.policy import ReportOptions
from thetaline.reports.value import (
    Absent,
    Change,
    Estimate,
    GrowthLine,
    Headline,
    Reader,
    Standing,
    Trend,
    WeeklyReport,
)

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """What is stored of a chunk of learners, by learner_no."""

    abilities: dict[int, Ability]
    measures: Measures
    own_slopes: dict[int, Estimate]
    lines: dict[int, StoredLine]


@dataclass(frozen=True, slots=True, eq=False)
class WeekReader:
    """Reads the reports of one week for one kind of reader."""

    conn: Connection
    runs: WeekRuns
    cohort: Cohort
    options: ReportOptions

    def reports(self, learners: Sequence[int]) -> Iterator[WeeklyReport]:
        """Of these learners, in this order."""
        chunk = self._read(learners)
        return (self._report(number, chunk) for number in learners)

    def _read(self, learners: Sequence[int]) -> _Chunk:
        measures = weekly_measures(self.conn, self.runs, learners)
        return _Chunk(
            abilities=abilities_on(self.conn, learners, self.runs.as_of),
            measures=measures,
            own_slopes=slopes_of_measures(measures),
            lines=stored_lines(self.conn, self.runs, learners),
        )

    def _report(self, number: int, chunk: _Chunk) -> WeeklyReport:
        trend = self._trend(number, chunk)
        return WeeklyReport(
            reader=self._reader(number),
            week=self.runs.week,
            as_of=self.runs.as_of,
            headline=self._headline(number, chunk, trend),
            trend=trend,
            standing=self._standing(number, chunk),
            topics=(),
            item_map=Absent.NO_ANSWERS,
            kpis=(),
            goals=(),
            effort=Absent.NO_ANSWERS,
            next_topics=(),
            next_items=(),
            examples=(),
            measurement=self.runs.measurement,
            risk=Absent.NOT_ALLOWED,
            segment=Absent.NOT_ALLOWED,
            sources=self._sources(number, chunk),
        )

    def _reader(self, number: int) -> Reader:
        user_id, classroom = self.cohort.user_ids[number], self.cohort.classes.get(number)
        return Reader(
            user_id=user_id,
            name=self.options.names.get(user_id),
            audience=self.options.audience,
            language=self.options.language,
            class_name=classroom.name if classroom else None,
        )

    def _headline(self, number: int, chunk: _Chunk, trend: Trend | Absent) -> Headline:
        n_answers = sum(one.n for one in chunk.measures.get(number, ()) if one.week == self.runs.week)
        line = None if isinstance(trend, Absent) else trend.line
        if not isinstance(line, GrowthLine) or not n_answers:
            return Headline(change=Change.UNKNOWN, slope=None, n_weeks=0, n_answers=n_answers)
        own = chunk.own_slopes.get(number)
        change = headline_change(line.slope, own, line.n_weeks, level_since=line.bend_week)
        return Headline(change, line.slope, line.n_weeks, n_answers, line.bend_week)

    def _trend(self, number: int, chunk: _Chunk) -> Trend | Absent:
        measures = chunk.measures.get(number, ())
        if not measures:
            return Absent.NO_ANSWERS if self.runs.weekly_theta else Absent.NOT_FITTED
        line = growth_line(self.runs, chunk.lines.get(number), measures)
        return Trend(measures, line, None, None, (), forecast_absent=Absent.NOT_FITTED)

    def _standing(self, number: int, chunk: _Chunk) -> Standing | Absent:
        found = chunk.abilities.get(number)
        if found is None:
            return self.runs.measurement if isinstance(self.runs.measurement, Absent) else Absent.TOO_FEW_ANSWERS
        level = level_of(found.theta, self.options.policy.level_bounds)
        return Standing(found.theta, found.n_answers, level, Absent.NOT_ALLOWED)

    def _sources(self, number: int, chunk: _Chunk) -> tuple[str, ...]:
        found = chunk.abilities.get(number)
        measured = None if isinstance(self.runs.measurement, Absent) else self.runs.measurement.run_id
        used = [
            measured,
            found.run_id if found else None,
            self.runs.weekly_theta if number in chunk.measures else None,
            self.runs.growth if number in chunk.lines else None,
        ]
        return tuple(sorted({run_id for run_id in used if run_id}))
