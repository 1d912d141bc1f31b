"""The KPIs of learners on a day, from their answers, the published items and their θ."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray

from thetaline import db
from thetaline.jobs.abilities.answers import LearnerAnswers, learner_numbers, read_answers
from thetaline.jobs.abilities.estimates import topic_sd_or_default
from thetaline.jobs.abilities.item_bank import ItemBank, find_item_bank
from thetaline.jobs.abilities.scoring import theta_without_prior
from thetaline.jobs.arrays import Array, Int32s, Ints, Mask
from thetaline.learning.improvement import (
    ACCURACY_GROWTH_SD,
    ACCURACY_SLOPE,
    GROWTH_SD,
    accuracy_change,
    content_difference,
    improvement_index,
    reliable_change,
)
from thetaline.learning.inactivity import BgBbParameters, activity_history, inactivity_probability
from thetaline.learning.kpis import (
    efficiency,
    engagement,
    engagement_parts,
    error_recovery,
    goal_probability,
    joint_goal,
)
from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar
from thetaline.learning.term_calendar import TermCalendar
from thetaline.learning.topics import DEFAULT_SD, unseen_topic
from thetaline.learning.windows import IMPROVEMENT_DAYS, KPI_WINDOW_DAYS, Window, last_days

SQL = db.sql("jobs/kpis/learner_kpis.sql")
THETA_DELTA, ACCURACY_DELTA = "theta_delta", "accuracy_delta"

Connection = psycopg.Connection[Any]


class Improvement(NamedTuple):
    """I_t of one learner with the raw change of θ or accuracy (`method`), its standard error, numbers of answers."""

    i_t: float
    method: str
    change: float
    se: float
    n_recent: int
    n_previous: int
    reliable: int


@dataclass(frozen=True, slots=True, eq=False)
class CohortImprovement:
    """(N,) each; `index` is NaN where neither θ nor accuracy can be compared or n is below 5."""

    index: Array
    by_theta: Mask
    change: Array
    se: Array
    n_recent: Ints
    n_previous: Ints
    reliable: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class CohortKpis:
    """(N,) each, of the learners of `learner_no`; NaN where a KPI cannot be computed."""

    learner_no: Int32s
    improvement: CohortImprovement
    efficiency: Array
    error_recovery: Array
    engagement: Array
    goal: Array
    goal_by_growth: Mask
    inactivity: Array
    theta: Array
    se: Array


def history_window(as_of: date) -> Window:
    """The answers that the KPIs of a day use: 28 days and the 28 before."""
    recent = last_days(as_of, KPI_WINDOW_DAYS)
    return Window(recent.before().start, recent.stop)


def compute_improvement_index(
    conn: Connection, user_ids: Sequence[str], *, as_of: date, calendar: SchoolCalendar = UTC_DAYS
) -> dict[str, Improvement]:
    """{user_id: I_t}; a user without I_t on that day is absent. Days are UTC's unless `calendar` has others.

    Raises InputError for a user without stored answers.
    """
    numbers = learner_numbers(conn, user_ids)
    answers = read_answers(conn, history_window(as_of), list(numbers.values()), calendar=calendar)
    bank = find_item_bank(conn, as_of)
    found = improvement_of(answers, bank, as_of, topic_sd=_topic_sd(conn, bank))
    place = {int(number): position for position, number in enumerate(answers.learner_no)}
    at = {user_id: place[number] for user_id, number in numbers.items() if number in place}
    return {user_id: _row(found, row) for user_id, row in at.items() if not np.isnan(found.index[row])}


def improvement_of(
    answers: LearnerAnswers, bank: ItemBank | None, as_of: date, *, topic_sd: float
) -> CohortImprovement:
    """I_t of all learners: by θ where both windows have one on the bank's items, else by the share correct.

    What a change of content between the windows does to either, with topics spread by `topic_sd`, is part of the error.
    """
    recent = last_days(as_of, IMPROVEMENT_DAYS)
    n, right = _answered(answers, recent)
    n_before, right_before = _answered(answers, recent.before())
    change, se = _theta_change(answers, bank, recent)
    content_sd = topic_sd * np.sqrt(_content_difference(answers, recent))
    by_theta = ~np.isnan(change)
    accuracy, se_accuracy = accuracy_change(right, n, right_before, n_before)
    se, se_accuracy = np.hypot(se, content_sd), np.hypot(se_accuracy, ACCURACY_SLOPE * content_sd)
    by_accuracy = improvement_index(accuracy, se_accuracy, n, growth_sd=ACCURACY_GROWTH_SD)
    change, se = np.where(by_theta, change, accuracy), np.where(by_theta, se, se_accuracy)
    index = np.where(by_theta, improvement_index(change, se, n, growth_sd=GROWTH_SD), by_accuracy)
    counts = n.astype(np.int64), n_before.astype(np.int64)
    return CohortImprovement(index, by_theta, change, se, *counts, reliable_change(change, se))


def compute_kpis(
    conn: Connection,
    answers: LearnerAnswers,
    bank: ItemBank | None,
    *,
    as_of: date,
    inactivity_parameters: BgBbParameters,
    default_target: float,
    terms: TermCalendar,
) -> CohortKpis:
    """All KPIs of the learners of `answers`, which are those of `history_window`."""
    month = last_days(as_of, KPI_WINDOW_DAYS)
    answered = answers.attempts.answered()
    theta, se = _general_theta(conn, answers.learner_no, as_of)
    topic_sd = _topic_sd(conn, bank)
    goal = _goals(conn, answers.learner_no, as_of, default_target=default_target, topic_sd=topic_sd)
    by_growth = _goal_from_growth(conn, answers.learner_no, as_of)
    history = activity_history(answers.attempts, history_window(as_of), terms)
    own = np.where(np.isnan(goal), goal_probability(theta, se, default_target), goal)
    return CohortKpis(
        learner_no=answers.learner_no,
        improvement=improvement_of(answers, bank, as_of, topic_sd=topic_sd),
        efficiency=efficiency(answered, month),
        error_recovery=error_recovery(answered, month),
        engagement=engagement(engagement_parts(answers.attempts, month, terms)),
        goal=np.where(np.isnan(by_growth), own, by_growth),
        goal_by_growth=~np.isnan(by_growth),
        inactivity=inactivity_probability(history, inactivity_parameters),
        theta=theta,
        se=se,
    )


def _answered(answers: LearnerAnswers, window: Window) -> tuple[Array, Array]:
    """(N,) number of answers inside the window, and of right ones."""
    inside = answers.attempts.where(window.contains(answers.attempts.day)).answered()
    return inside.per_learner(), inside.per_learner(inside.correct)


def _topic_sd(conn: Connection, bank: ItemBank | None) -> float:
    return topic_sd_or_default(conn, bank) if bank else DEFAULT_SD


def _content_difference(answers: LearnerAnswers, recent: Window) -> Array:
    """(N,) how far the topics of the two windows differ, from first answers as θ is."""
    before = recent.before()
    sides = [answers.where(window.contains(answers.attempts.day)).first_known() for window in (before, recent)]
    learner, topic_no = (
        np.concatenate(parts)
        for parts in ([side.attempts.learner for side in sides], [side.topic_no for side in sides])
    )
    is_recent = np.repeat([False, True], [side.n_answers for side in sides])
    return content_difference(learner, topic_no, is_recent, answers.learner_no.size)


def _theta_change(answers: LearnerAnswers, bank: ItemBank | None, recent: Window) -> tuple[Array, Array]:
    if bank is None:
        unknown = np.full(answers.learner_no.size, np.nan)
        return unknown, unknown
    theta, se = _window_theta(answers, bank, recent)
    theta_before, se_before = _window_theta(answers, bank, recent.before())
    return theta - theta_before, np.hypot(se, se_before)


def _window_theta(answers: LearnerAnswers, bank: ItemBank, window: Window) -> tuple[Array, Array]:
    """(N,) WLE from the first answers inside the window alone, and its standard error; NaN without a scored answer."""
    found = theta_without_prior(answers.where(window.contains(answers.attempts.day)).first_known(), bank)
    theta, se = np.full((2, answers.learner_no.size), np.nan)
    theta[found.learner], se[found.learner] = found.theta, found.se
    return theta, se


def _general_theta(conn: Connection, learner_no: Int32s, as_of: date) -> tuple[Array, Array]:
    parameters = {"learners": learner_no.tolist(), "as_of": as_of}
    table = np.array(conn.execute(SQL["general_theta"], parameters, binary=True).fetchall(), float).reshape(-1, 3)
    theta, se = np.full((2, learner_no.size), np.nan)
    place = np.searchsorted(learner_no, table[:, 0].astype(np.int32))
    theta[place], se[place] = table[:, 1], table[:, 2]
    return theta, se


def _goals(conn: Connection, learner_no: Int32s, as_of: date, *, default_target: float, topic_sd: float) -> Array:
    """(N,) the learner's goals joined by priority; NaN without a goal or θ. A topic without answers is wider."""
    parameters = {"learners": learner_no.tolist(), "as_of": as_of, "default_target": default_target}
    rows = np.array(conn.execute(SQL["goals"], parameters, binary=True).fetchall(), float).reshape(-1, 6)
    number, target, priority, theta, se, has_topic = rows.T
    se = np.where(has_topic > 0, se, unseen_topic(theta, se, topic_sd)[1])
    learner = np.searchsorted(learner_no, number.astype(np.int32)).astype(np.int32)
    return joint_goal(goal_probability(theta, se, target), priority, learner, learner_no.size)


def _goal_from_growth(conn: Connection, learner_no: Int32s, as_of: date) -> Array:
    """(N,) the weekly goal probability while it is fresh; NaN where there is none."""
    rows = conn.execute(SQL["goal_from_growth"], {"as_of": as_of, "learners": learner_no.tolist()}).fetchall()
    found = np.full(learner_no.size, np.nan)
    if rows:
        number, probability = zip(*rows, strict=True)
        found[np.searchsorted(learner_no, number)] = probability
    return found


def _row(found: CohortImprovement, row: int) -> Improvement:
    return Improvement(
        i_t=float(found.index[row]),
        method=THETA_DELTA if found.by_theta[row] else ACCURACY_DELTA,
        change=float(found.change[row]),
        se=float(found.se[row]),
        n_recent=int(found.n_recent[row]),
        n_previous=int(found.n_previous[row]),
        reliable=int(found.reliable[row]),
    )
