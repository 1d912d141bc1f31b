"""What is stored of a chunk of learners, read by one query a section."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import psycopg

from thetaline.jobs.abilities.estimates import topic_sd_or_default
from thetaline.jobs.abilities.item_bank import ItemBank
from thetaline.jobs.abilities.scoring import TopicScale
from thetaline.jobs.reports.answers import ChunkAnswers, by_learner
from thetaline.jobs.reports.forecast import HIDDEN, Forecasts, read_forecasts
from thetaline.jobs.reports.goals import LearnerGoals, read_goals
from thetaline.jobs.reports.items import ItemFacts, item_facts
from thetaline.jobs.reports.kpis import read_kpis
from thetaline.jobs.reports.learners import Ability, Cohort, abilities_on
from thetaline.jobs.reports.practice import WeekPractice, efforts, item_maps
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.jobs.reports.staff import read_risks, read_segments
from thetaline.jobs.reports.standing import Groups
from thetaline.jobs.reports.suggested import Suggester, Suggestions
from thetaline.jobs.reports.topics import read_topic_ids, read_topics, runs_of_topics, topic_practices
from thetaline.jobs.reports.trend import Trends, read_trends
from thetaline.learning.topics import DEFAULT_SD
from thetaline.reports.policy import ReportOptions
from thetaline.reports.value import Absent, Effort, ItemMap, KpiValue, Percentile, Risk, TopicPractice

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """The published items of the week, what is known of them, and the model of topics on them."""

    items: ItemBank
    facts: ItemFacts
    scale: TopicScale


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What the reports of a week have in common; `basis` is None before the first calibration."""

    runs: WeekRuns
    cohort: Cohort
    options: ReportOptions
    topic_ids: Mapping[int, str]
    basis: Basis | None
    groups: Groups | None  # None: the page shows no percentile

    @classmethod
    def read(
        cls, conn: Connection, runs: WeekRuns, cohort: Cohort, options: ReportOptions, groups: Groups | None = None
    ) -> Self:
        """Once for all chunks."""
        return cls(runs, cohort, options, read_topic_ids(conn), _basis(conn, runs, options), groups)

    @property
    def topic_sd(self) -> float:
        """How far topics lie around a learner's θ."""
        return DEFAULT_SD if self.basis is None else self.basis.scale.model.topic_sd


def _basis(conn: Connection, runs: WeekRuns, options: ReportOptions) -> Basis | None:
    if runs.bank is None:
        return None
    scale = TopicScale.of(runs.bank, topic_sd_or_default(conn, runs.bank))
    return Basis(runs.bank, item_facts(conn, runs, runs.bank, options.calendar), scale)


@dataclass(frozen=True, slots=True, eq=False)
class Practised:
    """What comes from the answers, by learner_no."""

    n_answers: Mapping[int, int]  # of the week
    topics: Mapping[int, tuple[TopicPractice, ...]]
    topic_runs: Mapping[int, frozenset[str]]
    item_maps: Mapping[int, ItemMap] = field(default_factory=dict)
    efforts: Mapping[int, Effort | Absent] = field(default_factory=dict)
    suggestions: Mapping[int, Suggestions] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What the pages of a chunk of learners say, by learner_no; who is absent has nothing there."""

    abilities: Mapping[int, Ability]
    percentiles: Mapping[int, Percentile | Absent]
    trends: Trends
    forecasts: Forecasts
    practised: Practised
    kpis: Mapping[int, tuple[KpiValue, ...]]
    goals: Mapping[int, LearnerGoals]
    risks: Mapping[int, Risk]
    segments: Mapping[int, Mapping[str, str]]

    @classmethod
    def read(cls, conn: Connection, shared: Shared, learners: Sequence[int]) -> Self:
        """What the reader may not see is not read."""
        runs, options = shared.runs, shared.options
        abilities = abilities_on(conn, learners, runs.as_of)
        shows = options.policy
        return cls(
            abilities=abilities,
            percentiles=shared.groups.percentiles(abilities) if shared.groups else {},
            trends=read_trends(conn, runs, learners),
            forecasts=read_forecasts(conn, runs, learners) if shows.shows_forecast(options.audience) else HIDDEN,
            practised=_practised(conn, shared, learners, abilities),
            kpis=read_kpis(conn, runs, learners),
            goals=read_goals(conn, runs, learners, default_target=options.default_target, topic_sd=shared.topic_sd),
            risks=read_risks(conn, runs, learners) if shows.shows_risk(options.audience) else {},
            segments=read_segments(conn, runs, learners) if shows.shows_segment(options.audience) else {},
        )


def _practised(
    conn: Connection, shared: Shared, learners: Sequence[int], abilities: Mapping[int, Ability]
) -> Practised:
    answers, basis = ChunkAnswers.read(conn, shared.runs, learners, shared.options), shared.basis
    rows = read_topics(conn, shared.runs, answers, basis.scale if basis else None)
    topics = topic_practices(rows, shared.topic_ids)
    answered = by_learner(answers.answered_in(answers.week))
    n_answers = {number: rows.stop - rows.start for number, rows in answered.items()}
    if basis is None:
        return Practised(n_answers, topics, runs_of_topics(rows))
    week = WeekPractice.from_answers(answers, basis.items)
    suggester = Suggester(basis.items, basis.facts, shared.topic_ids, shared.topic_sd)
    return Practised(
        n_answers=n_answers,
        topics=topics,
        topic_runs=runs_of_topics(rows),
        item_maps=item_maps(week, basis.facts, abilities),
        efforts=efforts(week, basis.items, basis.facts),
        suggestions=suggester.suggestions(answers, topics, abilities),
    )
