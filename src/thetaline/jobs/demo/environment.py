"""What the school has besides answers: classrooms, texts of its questions, and goals of some learners."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import psycopg

from thetaline import db
from thetaline.jobs.demo.school import TOPICS, SchoolPlan, Truth

_SQL = db.sql("jobs/demo/demo.sql")

SHARE_WITH_GOAL = 0.6
GOAL_WEEKS = 8


def add_environment(conn: psycopg.Connection[Any], plan: SchoolPlan, truth: Truth, last_day: date) -> None:
    """Classes of learners in order, texts of questions, goals a little above the present ability due in two months."""
    classes = {
        "user_id": truth.user_ids.tolist(),
        "class": [f"{1 + number // plan.learners_a_class:02d}" for number in range(len(truth.user_ids))],
    }
    conn.execute(_SQL["add_classrooms"], classes)
    conn.execute(_SQL["assign_classrooms"], classes)
    conn.execute(_SQL["describe_questions"])
    conn.execute(_SQL["add_goals"], _goals(plan, truth, last_day))


def _goals(plan: SchoolPlan, truth: Truth, last_day: date) -> dict[str, list[Any]]:
    rng = np.random.default_rng(plan.seed + 1)
    who = np.flatnonzero(rng.random(len(truth.user_ids)) < SHARE_WITH_GOAL)
    now = truth.theta(who, np.full(len(who), float(plan.weeks)))
    return {
        "user_id": truth.user_ids[who].tolist(),
        "topic_id": np.array(TOPICS)[rng.integers(0, len(TOPICS), len(who))].tolist(),
        "target_level": np.round(now + rng.normal(0.3, 0.4, len(who)), 2).tolist(),
        "priority": rng.integers(1, 4, len(who)).tolist(),
        "target_date": [last_day + timedelta(weeks=GOAL_WEEKS)] * len(who),
    }
