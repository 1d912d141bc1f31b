"""The weeks of classes, put together from what is stored of their learners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import psycopg

from thetaline.jobs.arrays import Array, Ints
from thetaline.jobs.reports.answers import ChunkAnswers, by_learner
from thetaline.jobs.reports.chunk import Shared
from thetaline.jobs.reports.goals import NONE as NO_GOALS, LearnerGoals, read_goals
from thetaline.jobs.reports.learners import Ability, Classroom, abilities_on
from thetaline.jobs.reports.staff import read_risks
from thetaline.jobs.reports.topics import TopicRows, read_topics
from thetaline.jobs.reports.trend import Trends, change_of, growth_line, read_trends
from thetaline.jobs.terms import read_terms
from thetaline.learning.random_effects import without_prior
from thetaline.learning.term_calendar import TermCalendar
from thetaline.learning.windows import Window
from thetaline.reports.class_findings import mean_and_spread, next_step, pooled_accuracy
from thetaline.reports.class_value import ClassLearner, ClassReport, ClassTopic
from thetaline.reports.value import Absent, Estimate, GrowthLine, Interval, Measurement, Risk

SILENT_DAYS = 14  # school days without an answer
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, eq=False)
class ClassRows:
    """What is stored of the learners of some classes, by learner_no."""

    abilities: Mapping[int, Ability]
    trends: Trends
    goals: Mapping[int, LearnerGoals]
    risks: Mapping[int, Risk]
    n_answers: Mapping[int, int]  # of the week
    silent: frozenset[int]
    topics: TopicRows

    @classmethod
    def read(cls, conn: Connection, shared: Shared, learners: Sequence[int]) -> Self:
        """By one query a section."""
        runs, options, basis = shared.runs, shared.options, shared.basis
        answers = ChunkAnswers.read(conn, runs, learners, options)
        answered = by_learner(answers.answered_in(answers.week))
        shows_risk = options.policy.shows_risk(options.audience)
        return cls(
            abilities=abilities_on(conn, learners, runs.as_of),
            trends=read_trends(conn, runs, learners),
            goals=read_goals(conn, runs, learners, default_target=options.default_target, topic_sd=shared.topic_sd),
            risks=read_risks(conn, runs, learners) if shows_risk else {},
            n_answers={number: rows.stop - rows.start for number, rows in answered.items()},
            silent=_silent(answers, learners, read_terms(conn)),
            topics=read_topics(conn, runs, answers, basis.scale if basis else None),
        )


def _silent(answers: ChunkAnswers, learners: Sequence[int], terms: TermCalendar) -> frozenset[int]:
    """Who has not answered for 14 school days."""
    month, attempts = answers.month, answers.all.attempts
    last = dict.fromkeys(learners, month.start - 1)
    for number, rows in by_learner(answers.all).items():
        last[number] = int(attempts.day[rows.stop - 1])
    return frozenset(
        number for number, day in last.items() if terms.school_days(Window(day + 1, month.stop)).days >= SILENT_DAYS
    )


def class_report(classroom: Classroom, members: Sequence[int], rows: ClassRows, shared: Shared) -> ClassReport:
    """Of one class, from the rows of any learners that include its own."""
    runs = shared.runs
    level = _level(members, rows, shared)
    slopes = [rows.trends.own_slopes[one] for one in members if one in rows.trends.own_slopes]
    growth = mean_and_spread(*_columns(slopes))
    return ClassReport(
        classroom_id=classroom.classroom_id,
        name=classroom.name,
        language=shared.options.language,
        week=runs.week,
        as_of=runs.as_of,
        n_learners=len(members),
        n_active=sum(one in rows.n_answers for one in members),
        mean=level if isinstance(level, Absent) else level[0],
        spread=level if isinstance(level, Absent) else level[1],
        mean_slope=growth if isinstance(growth, Absent) else growth[0],
        learners=_learners(members, rows, shared),
        topics=_topics(members, rows.topics, shared),
        measurement=runs.measurement,
        sources=_sources(members, rows, shared),
    )


def _level(members: Sequence[int], rows: ClassRows, shared: Shared) -> tuple[Estimate, Interval] | Absent:
    """Mean and spread of θ; the prior of all calibrated learners, by which each θ is shrunken, is taken out first."""
    if shared.basis is None:
        return Absent.NOT_PUBLISHED
    theta, se = _columns([rows.abilities[one].theta for one in members if one in rows.abilities])
    return mean_and_spread(*without_prior(theta, se, shared.basis.items.mean, shared.basis.items.sd))


def _learners(members: Sequence[int], rows: ClassRows, shared: Shared) -> tuple[ClassLearner, ...]:
    found = [_learner(number, rows, shared) for number in members]
    return tuple(sorted(found, key=lambda one: (one.called.casefold(), one.user_id)))


def _learner(number: int, rows: ClassRows, shared: Shared) -> ClassLearner:
    user_id, n_answers = shared.cohort.user_ids[number], rows.n_answers.get(number, 0)
    line = growth_line(shared.runs, rows.trends.lines.get(number), rows.trends.measures.get(number, ()))
    change = change_of(line, rows.trends.own_slopes.get(number), n_answers)
    risk = rows.risks[number].probability if number in rows.risks else None
    goals = rows.goals.get(number, NO_GOALS).outlooks
    return ClassLearner(
        user_id=user_id,
        name=shared.options.names.get(user_id),
        theta=rows.abilities[number].theta if number in rows.abilities else None,
        slope=line.slope if isinstance(line, GrowthLine) else None,
        change=change,
        n_answers=n_answers,
        risk=risk,
        next_step=next_step(change, goals, silent=number in rows.silent, risk=risk),
    )


def _topics(members: Sequence[int], rows: TopicRows, shared: Shared) -> tuple[ClassTopic, ...]:
    """Of the topics that somebody practised in the week, most practised first."""
    mine = np.isin(rows.learner_no, members)
    practised = np.unique(rows.topic_no[mine & (rows.attempts > 0)]).tolist()
    found = [
        _topic(shared.topic_ids[one], np.flatnonzero(mine & (rows.topic_no == one)), rows, shared) for one in practised
    ]
    return tuple(sorted(found, key=lambda one: (-one.attempts, one.topic_id)))


def _topic(topic_id: str, place: Ints, rows: TopicRows, shared: Shared) -> ClassTopic:
    some = place[rows.attempts[place] > 0]
    attempts, right = rows.attempts[some].astype(float), rows.right[some].astype(float)
    departures = without_prior(rows.departure[place], rows.departure_se[place], 0.0, shared.topic_sd)
    difference = mean_and_spread(*departures)
    return ClassTopic(
        topic_id=topic_id,
        n_learners=int(some.size),
        attempts=int(attempts.sum()),
        accuracy=pooled_accuracy(right, attempts),
        difference=None if isinstance(difference, Absent) else difference[0],
    )


def _columns(estimates: Sequence[Estimate]) -> tuple[Array, Array]:
    values, se = np.array([(one.value, one.se) for one in estimates], float).reshape(-1, 2).T
    return values, se


def _sources(members: Sequence[int], rows: ClassRows, shared: Shared) -> tuple[str, ...]:
    runs, own = shared.runs, frozenset(members)
    used = {
        runs.measurement.run_id if isinstance(runs.measurement, Measurement) else None,
        *(one.run_id for number, one in rows.abilities.items() if number in own),
        runs.weekly_theta if own & rows.trends.measures.keys() else None,
        runs.growth if own & rows.trends.lines.keys() else None,
        runs.churn if own & rows.risks.keys() else None,
    }
    return tuple(sorted(run_id for run_id in used if run_id))
