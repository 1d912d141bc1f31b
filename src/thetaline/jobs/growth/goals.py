"""The dated goals of learners, and the probability that their growth lines reach them."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import psycopg

from thetaline import db
from thetaline.db.bulk import copy_rows
from thetaline.jobs.arrays import Array, Index, Int32s, Objects
from thetaline.learning.growth import GrowthFit, goal_probability

SQL = db.sql("jobs/growth/goals.sql")
NO_LINE = "no answers"
N_NODES = 5  # of a topic's departure from the line, which a goal in that topic adds


@dataclass(frozen=True, slots=True, eq=False)
class Goals:
    """G dated goals. `shift`, `more_variance`: what the topic adds to the general line, NaN where it has no answers."""

    learner_no: Int32s
    topic_id: Objects
    given_target: Array  # NaN: the default
    target: Array
    days_ahead: Array  # from the last day of the run's week
    target_date: Objects
    shift: Array
    more_variance: Array


@dataclass(frozen=True, slots=True, eq=False)
class GoalResult:
    """(G,) P(θ ≥ target on the date), P(ever up to it); NaN where `reason` says why it is withheld."""

    at_date: Array
    ever: Array
    reason: Objects


def read_goals(conn: psycopg.Connection[Any], as_of: date, *, default_target: float) -> Goals:
    """All goals with a date, as they are now."""
    rows = conn.execute(SQL["dated_goals"], {"as_of": as_of, "default_target": default_target}).fetchall()
    number, topic, given, target, day, shift, variance = zip(*rows, strict=True) if rows else [()] * 7
    return Goals(
        np.array(number, np.int32),
        np.array(topic, object),
        np.array(given, float),
        np.array(target, float),
        np.array([(one - as_of).days for one in day], float),
        np.array(day, object),
        np.array(shift, float),
        np.array(variance, float),
    )


def goal_results(fit: GrowthFit, learner_no: Int32s, goals: Goals) -> GoalResult:
    """Of the general line moved by the topic's departure, over whose uncertainty is integrated.

    A topic without answers departs by N(0, τ²), τ the cohort's spread of topics. Gauss–Hermite with 5 nodes.
    """
    place = np.minimum(np.searchsorted(learner_no, goals.learner_no), max(learner_no.size - 1, 0))
    known = learner_no[place] == goals.learner_no if learner_no.size else np.zeros(goals.target.size, bool)
    nothing = np.full(known.size, np.nan)
    found = GoalResult(nothing, nothing.copy(), np.full(known.size, NO_LINE, object))
    rows = np.flatnonzero(known)
    if rows.size:
        at_date, ever, reason = _probabilities(fit, place[rows], goals, rows)
        found.at_date[rows], found.ever[rows], found.reason[rows] = at_date, ever, reason
    return found


def _probabilities(fit: GrowthFit, who: Index, goals: Goals, rows: Index) -> tuple[Array, Array, Objects]:
    unseen = np.isnan(goals.shift[rows])
    shift = np.where(unseen, 0.0, goals.shift[rows])
    sd = np.where(unseen, fit.spreads.topic_sd, np.sqrt(goals.more_variance[rows]))
    week = fit.spec.now_week + goals.days_ahead[rows] / 7
    nodes, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
    parts = [goal_probability(fit, goals.target[rows] - shift - sd * node, week, who) for node in nodes]
    share = weights / weights.sum()
    at_date = sum(weight * one.at_date for weight, one in zip(share, parts, strict=True))
    ever = sum(weight * one.ever_before for weight, one in zip(share, parts, strict=True))
    return np.clip(at_date, 0, 1), np.clip(ever, 0, 1), parts[0].reason


def write_goals(conn: psycopg.Connection[Any], run_id: str, goals: Goals, found: GoalResult) -> None:
    """A row a goal, in the caller's transaction."""
    columns = ["learner_no", "topic_id", "target_level", "target_date", "probability", "ever_probability", "reason"]
    reason = np.array([text or None for text in found.reason], object)
    dates = np.array([str(one) for one in goals.target_date], object)
    arrays = [goals.learner_no, goals.topic_id, goals.given_target, dates, found.at_date, found.ever, reason]
    if goals.target.size:
        copy_rows(conn, "growth_goal", ["run_id", *columns], [run_id, *arrays])
