"""A small school with published items, its θ as the views show them, and what makes them."""

import numpy as np
from learners import NOW, TODAY, Connection, bank_params, context, publish_items, simulated, write_answers

from thetaline.jobs.abilities import session_update, snapshot as snapshot_job
from thetaline.jobs.abilities.session_update import load_scorer, update_user
from thetaline.learning.school_calendar import UTC_DAYS

TOPICS = ("algebra", "geometry", "logic")


def taught(conn: Connection) -> dict[int, dict[str, float]]:
    """Twelve learners, 45 items of three topics, answers over 40 days; the published items by id."""
    rng = np.random.default_rng(11)
    params = bank_params(45, rng)
    theta = {f"u{number:02d}": float(value) for number, value in enumerate(rng.normal(0, 1, 12))}
    write_answers(conn, simulated(theta, params, range(1, 46), rng, days_ago=(0, 3, 20, 35), topics=TOPICS))
    publish_items(conn, params)
    return params


def snapshot(conn: Connection, database: str, **options: object) -> dict:
    everything = bool(options.pop("everything", False))
    summary = snapshot_job.work(context(conn, database, "snapshot_theta", **options), everything=everything)
    conn.commit()
    return dict(summary)


def general(conn: Connection) -> dict[str, tuple[float, float]]:
    return {user: (theta, se) for user, theta, se in conn.execute("select user_id, theta, se from mirt_ability")}


def topics(conn: Connection) -> dict[tuple[str, str], tuple[float, float]]:
    rows = conn.execute("select user_id, topic_id, theta, se from student_topic_theta")
    return {(user, topic): (theta, se) for user, topic, theta, se in rows}


def update(conn: Connection, user: str, now: object = NOW) -> session_update.ThetaUpdate:
    result = update_user(
        conn, user, load_scorer(conn, TODAY, lookback_days=30, calendar=UTC_DAYS), as_of=TODAY, now=now
    )
    conn.commit()
    return result
