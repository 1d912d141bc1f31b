"""The topics that learners practised: attempts of the week, θ in each, and its departure from the general level."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from thetaline import db
from thetaline.jobs.abilities.scoring import TopicScale, topic_departures
from thetaline.jobs.arrays import Array, Ints
from thetaline.jobs.reports.answers import ChunkAnswers
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.learning.attempts import pair_key
from thetaline.learning.proportions import jeffreys_interval
from thetaline.reports.findings import topic_verdict
from thetaline.reports.value import Estimate, Interval, TopicPractice

SQL = db.sql("jobs/reports/topics.sql")
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, eq=False)
class TopicRows:
    """One row a (learner, topic) with an answer in the week or in the window of θ; NaN where θ is unknown."""

    learner_no: Ints
    topic_no: Ints
    attempts: Ints  # of the week
    right: Ints
    theta: Array
    se: Array
    departure: Array
    departure_se: Array
    run_ids: tuple[str | None, ...]


def read_topics(conn: Connection, runs: WeekRuns, answers: ChunkAnswers, scale: TopicScale | None) -> TopicRows:
    """Practice of the week, stored θ, and departures by the model that made it, from the answers of its window."""
    week, window = answers.answered_in(answers.week), answers.answered_in(answers.theta_window)
    keys = [pair_key(part.attempts.learner, part.topic_no) for part in (week, window)]
    key = np.unique(np.concatenate(keys))
    key = key[key & 0xFFFFFFFF > 0]  # topic 0 is none
    place = np.searchsorted(key, keys[0])
    named = np.flatnonzero(week.topic_no > 0)
    attempts = np.bincount(place[named], minlength=key.size)
    right = np.bincount(place[named], week.attempts.correct[named], key.size).astype(np.int64)
    learner_no, topic_no = answers.all.learner_no[key >> 32].astype(np.int64), key & 0xFFFFFFFF
    (theta, se), run_ids = _stored(conn, runs, learner_no, topic_no)
    departure, departure_se = _departures(answers, scale, key) if scale else np.full((2, key.size), np.nan)
    return TopicRows(
        learner_no=learner_no,
        topic_no=topic_no,
        attempts=attempts,
        right=right,
        theta=theta,
        se=se,
        departure=departure,
        departure_se=departure_se,
        run_ids=run_ids,
    )


def _stored(conn: Connection, runs: WeekRuns, learner_no: Ints, topic_no: Ints) -> tuple[Array, tuple[str | None, ...]]:
    parameters = {"learners": learner_no.tolist(), "topics": topic_no.tolist(), "as_of": runs.as_of}
    found = {row[:2]: row[2:] for row in conn.execute(SQL["topic_abilities"], parameters)}
    nothing = (None, np.nan, np.nan)
    rows = [found.get(pair, nothing) for pair in zip(learner_no.tolist(), topic_no.tolist(), strict=True)]
    theta = np.array([row[1:] for row in rows], float).reshape(-1, 2).T
    return theta, tuple(run_id for run_id, *_ in rows)


def _departures(answers: ChunkAnswers, scale: TopicScale, key: Ints) -> Array:
    """(2, R) posterior mean and sd of θ_topic − θ for the rows of `key`."""
    found = topic_departures(answers.of(answers.theta_window).first_known(), scale.bank, scale)
    rows = np.full((2, key.size), np.nan)
    place = np.searchsorted(key, pair_key(found.learner, found.topic_no))
    rows[:, place] = found.theta, found.se
    return rows


def read_topic_ids(conn: Connection) -> dict[int, str]:
    """By topic_no."""
    return dict(conn.execute(SQL["topics"]).fetchall())


def runs_of_topics(rows: TopicRows) -> dict[int, frozenset[str]]:
    """By learner_no the runs that the θ of the topics come from."""
    found: dict[int, set[str]] = defaultdict(set)
    for number, run_id in zip(rows.learner_no.tolist(), rows.run_ids, strict=True):
        found[number].update([run_id] if run_id else [])
    return {number: frozenset(run_ids) for number, run_ids in found.items()}


def topic_practices(rows: TopicRows, topic_ids: Mapping[int, str]) -> dict[int, tuple[TopicPractice, ...]]:
    """By learner_no, most practised first."""
    low, high = jeffreys_interval(rows.right.astype(float), np.maximum(rows.attempts, 1).astype(float))
    found: dict[int, list[TopicPractice]] = defaultdict(list)
    for row, (number, topic_no, n, right) in enumerate(
        zip(rows.learner_no.tolist(), rows.topic_no.tolist(), rows.attempts.tolist(), rows.right.tolist(), strict=True)
    ):
        difference = _estimate(rows.departure, rows.departure_se, row)
        practice = TopicPractice(
            topic_id=topic_ids[topic_no],
            attempts=n,
            correct=right,
            accuracy=Interval(right / n, float(low[row]), float(high[row])) if n else None,
            theta=_estimate(rows.theta, rows.se, row),
            difference=difference,
            verdict=topic_verdict(difference),
        )
        found[number].append(practice)
    return {number: tuple(sorted(all_, key=_most_first)) for number, all_ in found.items()}


def _most_first(practice: TopicPractice) -> tuple[int, str]:
    return -practice.attempts, practice.topic_id


def _estimate(value: Array, se: Array, row: int) -> Estimate | None:
    return Estimate(float(value[row]), float(se[row])) if np.isfinite(value[row]) else None
