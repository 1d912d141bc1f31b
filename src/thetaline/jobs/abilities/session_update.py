"""The job that updates θ between nights: a learner's window is scored again, with the answers of the new session."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any

import numpy as np
import psycopg
import typer

from thetaline import db
from thetaline.jobs.abilities.answers import learner_numbers, read_answers
from thetaline.jobs.abilities.estimates import (
    ThetaEstimates,
    changed_learners,
    estimate,
    lock_items,
    theta_window,
    topic_checksum,
    topic_sd_or_default,
)
from thetaline.jobs.abilities.item_bank import ItemBank, load_item_bank
from thetaline.jobs.abilities.scoring import TopicScale
from thetaline.jobs.command_line import DryRunOption, run_app
from thetaline.jobs.runner import JobContext, Summary, run_job
from thetaline.learning.school_calendar import SchoolCalendar

JOB = "update_theta"
SQL = db.sql("jobs/abilities/session_update.sql")
app = typer.Typer(add_completion=False)
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class ThetaUpdate:
    """θ of a learner after an update; `theta` is None without a single scored answer in the window.

    `topics` is {topic_no: (θ, se)}; `is_new` says whether rows were written, `run_id` under which.
    """

    theta: float | None
    se: float | None
    n_answers: int
    topics: dict[int, tuple[float, float]]
    is_new: bool
    run_id: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """What the updates of a day have in common: loaded once, used for all learners."""

    bank: ItemBank
    scale: TopicScale
    lookback_days: int
    calendar: SchoolCalendar


def load_scorer(conn: Connection, as_of: date, *, lookback_days: int, calendar: SchoolCalendar) -> Scorer:
    """The published items, their population and topic spread. Raises JobError where nothing is published."""
    bank = load_item_bank(conn, as_of)
    return Scorer(bank, TopicScale.of(bank, topic_sd_or_default(conn, bank)), lookback_days, calendar)


def bank_fingerprint(conn: Connection) -> tuple[object, ...]:
    """Which runs a scorer is made of; where it differs from before, the scorer has to be loaded again."""
    return tuple(conn.execute(SQL["bank_fingerprint"]).fetchall())


def update_user(conn: Connection, user_id: str, scorer: Scorer, *, as_of: date, now: datetime) -> ThetaUpdate:
    """As `update_users`, of one learner."""
    return update_users(conn, [user_id], scorer, as_of=as_of, now=now)[user_id]


def update_users(
    conn: Connection, user_ids: Sequence[str], scorer: Scorer, *, as_of: date, now: datetime
) -> dict[str, ThetaUpdate]:
    """Score the learners' windows and append what changed, in the caller's transaction.

    The whole windows are read, so that every answer counts once: the second of two calls writes nothing, and the
    snapshot of the same day agrees. Raises InputError for an unknown learner, ItemsRetractedError where the scorer's
    items are no longer published.
    """
    numbers = _locked(conn, user_ids)
    estimates = _estimate(conn, list(numbers.values()), scorer, as_of)
    moved = changed_learners(conn, estimates, scorer.bank.run_id, as_of)
    run_id = f"{JOB}-{as_of}-{scorer.bank.run_id}"
    if moved.any():
        lock_items(conn, scorer.bank.run_id)
        run = {"run_id": run_id, "as_of": as_of, "now": now, "host": socket.gethostname(), "pid": os.getpid()}
        items = {"items_run": scorer.bank.run_id, "model": scorer.bank.model}
        conn.execute(SQL["append_updates"], {**run, **items, **_columns(estimates.where(moved))})
    written = set(estimates.learner_no[moved].tolist())
    return {name: _result(estimates, number, run_id if number in written else None) for name, number in numbers.items()}


@app.command()
def update(
    user: Annotated[str, typer.Option("--user", help="The learner whose θ is updated.")],
    date: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Day of the update. Default: today.")
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Update θ of one learner, in general and by topic, without waiting for the night."""
    raise typer.Exit(run_job(JOB, partial(work, user_id=user), date=date, of_today=True, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.update_theta`."""
    return run_app(app, argv, "thetaline update-theta")


def work(context: JobContext, *, user_id: str) -> Summary:
    """One update; a dry run scores and writes nothing."""
    lookback_days = context.settings.mirt_lookback_days
    scorer = load_scorer(context.conn, context.as_of, lookback_days=lookback_days, calendar=context.calendar)
    if context.dry_run:
        learner = learner_numbers(context.conn, [user_id])[user_id]
        result = _result(_estimate(context.conn, [learner], scorer, context.as_of), learner, None)
    else:
        result = update_user(context.conn, user_id, scorer, as_of=context.as_of, now=context.now)
    return {
        "user_id": user_id,
        "run_id": result.run_id,
        "theta": result.theta,
        "se": result.se,
        "n_answers": result.n_answers,
        "n_topics": len(result.topics),
        "written": result.is_new,
    }


def _estimate(conn: Connection, learners: Sequence[int], scorer: Scorer, as_of: date) -> ThetaEstimates:
    answers = read_answers(conn, theta_window(as_of, scorer.lookback_days), learners, calendar=scorer.calendar)
    return estimate(answers, scorer.bank, scorer.scale)


def _locked(conn: Connection, user_ids: Sequence[str]) -> dict[str, int]:
    names = list(dict.fromkeys(user_ids))
    found = dict(conn.execute(SQL["lock_learners"], {"user_ids": names}).fetchall())
    return found if len(found) == len(names) else learner_numbers(conn, names)  # raises InputError with the reason


def _columns(estimates: ThetaEstimates) -> dict[str, object]:
    general, topics = estimates.general, estimates.topics
    return {
        "learners": estimates.learner_no[general.learner].tolist(),
        "thetas": general.theta.tolist(),
        "ses": general.se.tolist(),
        "counts": general.n_answers.tolist(),
        "checksums": topic_checksum(estimates)[general.learner].tolist(),
        "topic_learners": estimates.learner_no[topics.learner].tolist(),
        "topics": topics.topic_no.tolist(),
        "topic_thetas": topics.theta.tolist(),
        "topic_ses": topics.se.tolist(),
        "topic_counts": topics.n_answers.tolist(),
    }


def _result(estimates: ThetaEstimates, learner: int, run_id: str | None) -> ThetaUpdate:
    general, topics = estimates.general, estimates.topics
    row = np.flatnonzero(estimates.learner_no[general.learner] == learner)
    mine = estimates.learner_no[topics.learner] == learner
    pairs = zip(topics.theta[mine].tolist(), topics.se[mine].tolist(), strict=True)
    return ThetaUpdate(
        theta=float(general.theta[row[0]]) if row.size else None,
        se=float(general.se[row[0]]) if row.size else None,
        n_answers=int(general.n_answers[row[0]]) if row.size else 0,
        topics=dict(zip(topics.topic_no[mine].tolist(), pairs, strict=True)),
        is_new=run_id is not None,
        run_id=run_id,
    )
