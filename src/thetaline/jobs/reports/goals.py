"""The goals of learners: reached by now or not, and the stored chance that they are on their day."""

from collections import defaultdict
from collections.abc import Iterable
from math import hypot
from typing import Any, NamedTuple

import psycopg

from thetaline import db
from thetaline.jobs.growth.goals import NO_LINE
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.learning.growth.prediction import NO_TARGET, ONE_WEEK, TOO_FAR
from thetaline.reports.findings import goal_verdict
from thetaline.reports.value import Absent, Estimate, GoalOutlook, GoalVerdict

SQL = db.sql("jobs/reports/goals.sql")
MOST_TARGET = 20.0  # of either sign; θ never goes that far, so what lies beyond, or is NaN, is a slip and no goal
Connection = psycopg.Connection[Any]
WITHHELD = {
    NO_LINE: Absent.NO_ANSWERS,
    ONE_WEEK: Absent.TOO_FEW_WEEKS,
    TOO_FAR: Absent.TOO_UNCERTAIN,
    NO_TARGET: Absent.NO_GOAL,
}


class LearnerGoals(NamedTuple):
    """Most important first; `from_growth`: whether a number of them comes from the growth run."""

    outlooks: tuple[GoalOutlook, ...]
    from_growth: bool


NONE = LearnerGoals((), from_growth=False)


def read_goals(
    conn: Connection, runs: WeekRuns, learners: Iterable[int], *, default_target: float, topic_sd: float
) -> dict[int, LearnerGoals]:
    """By learner_no. A topic without answers is known as well as θ in general, and `topic_sd` worse."""
    found: dict[int, list[tuple[GoalOutlook, bool]]] = defaultdict(list)
    values = {"run_id": runs.growth, "learners": list(learners), "as_of": runs.as_of}
    for number, topic, target, day, _priority, *growth, theta, se, source in conn.execute(SQL["goals"], values):
        known = None if theta is None else Estimate(theta, se if source == "topic" else hypot(se, topic_sd))
        level = default_target if target is None else target
        probability, ever, reason = growth
        outlook = GoalOutlook(
            topic_id=topic,
            target=level,
            target_date=day,
            verdict=_verdict(known, level),
            probability=WITHHELD.get(reason or "", Absent.NOT_FITTED) if probability is None else probability,
            ever_probability=ever,
        )
        found[number].append((outlook, probability is not None))
    return {
        number: LearnerGoals(tuple(one for one, _ in goals), any(made for _, made in goals))
        for number, goals in found.items()
    }


def _verdict(theta: Estimate | None, target: float) -> GoalVerdict | Absent:
    if not abs(target) <= MOST_TARGET:
        return Absent.NO_GOAL
    return Absent.TOO_FEW_ANSWERS if theta is None else goal_verdict(theta, target)
