"""A learner's report, put together from what is stored of the chunk."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from thetaline.jobs.reports.chunk import Chunk, Shared
from thetaline.jobs.reports.goals import NONE as NO_GOALS
from thetaline.jobs.reports.staff import absent_risk, absent_segment
from thetaline.jobs.reports.suggested import NOTHING
from thetaline.jobs.reports.trend import change_of, growth_line
from thetaline.reports.value import (
    Absent,
    Change,
    GoalOutlook,
    GrowthLine,
    Headline,
    KpiValue,
    Measurement,
    Reader,
    Standing,
    Trend,
    WeeklyReport,
)

Connection = psycopg.Connection[Any]


def reports_of(conn: Connection, shared: Shared, learners: Sequence[int]) -> Iterator[WeeklyReport]:
    """Of these learners, in this order."""
    chunk = Chunk.read(conn, shared, learners)
    return (_report(number, chunk, shared) for number in learners)


def _report(number: int, chunk: Chunk, shared: Shared) -> WeeklyReport:
    practised, runs, options = chunk.practised, shared.runs, shared.options
    goals = chunk.goals.get(number, NO_GOALS).outlooks
    trend = _trend(number, chunk, shared, goals)
    suggested = practised.suggestions.get(number, NOTHING)
    has_answers = bool(practised.n_answers.get(number))
    risk = chunk.risks.get(number, absent_risk(runs))
    segment = chunk.segments.get(number, absent_segment(runs))
    return WeeklyReport(
        reader=_reader(number, shared),
        week=runs.week,
        as_of=runs.as_of,
        headline=_headline(number, chunk, trend),
        trend=trend,
        standing=_standing(number, chunk, shared),
        topics=practised.topics.get(number, ()),
        item_map=practised.item_maps.get(number, _why_not_scored(shared, has_answers=has_answers)),
        kpis=_kpis(chunk.kpis.get(number, ()), goals),
        goals=goals,
        effort=practised.efforts.get(number, _why_not_scored(shared, has_answers=has_answers)),
        next_topics=suggested.topics,
        next_items=suggested.items,
        examples=suggested.examples,
        measurement=runs.measurement,
        risk=risk if options.policy.shows_risk(options.audience) else Absent.NOT_ALLOWED,
        segment=segment if options.policy.shows_segment(options.audience) else Absent.NOT_ALLOWED,
        sources=_sources(number, chunk, shared),
    )


def _reader(number: int, shared: Shared) -> Reader:
    user_id, classroom = shared.cohort.user_ids[number], shared.cohort.classes.get(number)
    options = shared.options
    name, class_name = options.names.get(user_id), classroom.name if classroom else None
    return Reader(user_id, name, options.audience, options.language, class_name)


def _headline(number: int, chunk: Chunk, trend: Trend | Absent) -> Headline:
    n_answers = chunk.practised.n_answers.get(number, 0)
    line = None if isinstance(trend, Absent) else trend.line
    change = change_of(line, chunk.trends.own_slopes.get(number), n_answers)
    if not isinstance(line, GrowthLine):
        n_weeks = 0 if isinstance(trend, Absent) else len(trend.measures)
        return Headline(change, slope=None, n_weeks=n_weeks, n_answers=n_answers)
    since = line.bend_week if change is Change.LEVEL else None
    return Headline(change, line.slope, line.n_weeks, n_answers, since)


def _trend(number: int, chunk: Chunk, shared: Shared, goals: Sequence[GoalOutlook]) -> Trend | Absent:
    """With the most important goal as target."""
    measures = chunk.trends.measures.get(number, ())
    if not measures:
        return Absent.NO_ANSWERS if shared.runs.weekly_theta else _why_no_theta(shared)
    goal = next((one for one in goals if one.verdict is not Absent.NO_GOAL), None)
    return Trend(
        measures=measures,
        line=growth_line(shared.runs, chunk.trends.lines.get(number), measures),
        target=goal.target if goal else None,
        target_date=goal.target_date if goal else None,
        forecast=chunk.forecasts.points.get(number, ()),
        forecast_absent=chunk.forecasts.absent(number),
    )


def _kpis(found: Sequence[KpiValue], goals: Sequence[GoalOutlook]) -> tuple[KpiValue, ...]:
    """Without a goal `P` is the chance of the default target, which the page would call a goal that nobody has set."""
    has_goal = any(one.verdict is not Absent.NO_GOAL for one in goals)
    return tuple(one for one in found if has_goal or one.key != "P")


def _standing(number: int, chunk: Chunk, shared: Shared) -> Standing | Absent:
    found = chunk.abilities.get(number)
    if found is None:
        return Absent.NOT_PUBLISHED if shared.basis is None else Absent.TOO_FEW_ANSWERS
    percentile = chunk.percentiles.get(number, Absent.NOT_ALLOWED)
    level = shared.options.descriptors.level_of(found.theta)
    return Standing(found.theta, found.n_answers, level, percentile)


def _why_no_theta(shared: Shared) -> Absent:
    return Absent.NOT_PUBLISHED if shared.basis is None else Absent.NOT_FITTED


def _why_not_scored(shared: Shared, *, has_answers: bool) -> Absent:
    """Of the week's answers: none were given, no item of theirs is published, or there is no θ to see them from."""
    if not has_answers:
        return Absent.NO_ANSWERS
    return Absent.NOT_PUBLISHED if shared.basis is None else Absent.TOO_FEW_ANSWERS


def _sources(number: int, chunk: Chunk, shared: Shared) -> tuple[str, ...]:
    """Of the sections that the page has."""
    runs = shared.runs
    used = {
        runs.measurement.run_id if isinstance(runs.measurement, Measurement) else None,
        chunk.abilities[number].run_id if number in chunk.abilities else None,
        runs.weekly_theta if number in chunk.trends.measures else None,
        runs.growth if number in chunk.trends.lines or chunk.goals.get(number, NO_GOALS).from_growth else None,
        chunk.forecasts.run_id if number in chunk.forecasts.points else None,
        runs.churn if number in chunk.risks else None,
        runs.segments if number in chunk.segments else None,
        *chunk.practised.topic_runs.get(number, ()),
        *_runs_of_items(number, chunk, shared),
    }
    return tuple(sorted(run_id for run_id in used if run_id))


def _runs_of_items(number: int, chunk: Chunk, shared: Shared) -> set[str]:
    """The calibrations that parameters of the items shown come from: one that was rare lately keeps an old one."""
    if shared.basis is None:
        return set()
    practised, suggested = chunk.practised.item_maps.get(number), chunk.practised.suggestions.get(number, NOTHING)
    shown = [one.item for one in practised.items] if practised else []
    shown += [one.item for one in suggested.items] + [one.item for one in suggested.examples]
    return {shared.basis.facts.run_of[item] for item in shown}
