"""The demo's growth lines and goals compared with the truth: coverage of slopes, reliability of probabilities."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import psycopg

from thetaline import db
from thetaline.jobs.arrays import Array
from thetaline.jobs.demo.files import School
from thetaline.jobs.demo.recovery import AbilityMoments
from thetaline.jobs.demo.school import Truth

_SQL = db.sql("jobs/demo/demo.sql")
JOBS = {"answers": "fit_bayesian_growth", "weekly θ": "fit_growth_glmm"}
INTERVAL = 1.96
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class SlopeCoverage(NamedTuple):
    """Of n learners the share whose true slope lies in the 95 % interval, and the correlation with the truth."""

    n: int
    share: float
    correlation: float


class GoalBin(NamedTuple):
    """n goals with probabilities from `low` to `high`: their mean, and the share that the simulated line reaches."""

    low: float
    high: float
    n: int
    predicted: float
    reached: float


@dataclass(frozen=True, slots=True)
class LineReport:
    """Slopes by what they were fitted to, and goals."""

    slopes: dict[str, SlopeCoverage]
    goals: Sequence[GoalBin]

    def as_json(self) -> dict[str, object]:
        """For the summary line."""
        slopes = {name: one._asdict() for name, one in self.slopes.items()}
        return {"growth_lines": {**asdict(self), "slopes": slopes, "goals": [one._asdict() for one in self.goals]}}


def line_report(conn: psycopg.Connection[Any], school: School, truth: Truth, *, base: AbilityMoments) -> LineReport:
    """Compare what the night's growth fits left; `base` are the true abilities that the published scale is of."""
    number = {user: place for place, user in enumerate(truth.user_ids.tolist())}
    slopes = {name: _coverage(conn, school, truth.rate / base.sd, job=job, number=number) for name, job in JOBS.items()}
    return LineReport({name: one for name, one in slopes.items() if one.n}, _goals(conn, school, truth, number, base))


def _coverage(
    conn: psycopg.Connection[Any], school: School, rate: Array, *, job: str, number: dict[str, int]
) -> SlopeCoverage:
    rows = conn.execute(_SQL["growth_lines"], {"job": job, "as_of": school.last_day}).fetchall()
    if not rows:
        return SlopeCoverage(0, float("nan"), float("nan"))
    true = rate[[number[user] for user, *_ in rows]]
    slope, se = np.array([one[1:] for one in rows], float).T
    inside = np.abs(slope - true) <= INTERVAL * se
    return SlopeCoverage(len(rows), float(inside.mean()), float(np.corrcoef(slope, true)[0, 1]))


def _goals(
    conn: psycopg.Connection[Any], school: School, truth: Truth, number: dict[str, int], base: AbilityMoments
) -> list[GoalBin]:
    rows = conn.execute(_SQL["growth_goals"], {"as_of": school.last_day}).fetchall()
    if not rows:
        return []
    user, target, day, probability = zip(*rows, strict=True)
    week = np.array([(one - school.first_day).days + 1 for one in day]) / 7
    theta = truth.theta(np.array([number[one] for one in user]), week)
    reached = (theta - base.mean) / base.sd >= np.array(target, float)
    return _bins(np.array(probability, float), reached)


def _bins(probability: Array, reached: np.ndarray[Any, np.dtype[np.bool_]]) -> list[GoalBin]:
    place = np.clip(np.searchsorted(EDGES, probability, side="right") - 1, 0, len(EDGES) - 2)
    found = []
    for number in np.unique(place).tolist():
        mine = place == number
        shares = float(probability[mine].mean()), float(reached[mine].mean())
        found.append(GoalBin(EDGES[number], EDGES[number + 1], int(mine.sum()), *shares))
    return found


def report_text(report: LineReport) -> str:
    """A part of the report on the terminal."""
    slopes = "\n".join(
        f"    from {name:<16} {one.share:24.0%} {one.correlation:26.2f} {one.n:10,}"
        for name, one in report.slopes.items()
    )
    goals = "\n".join(
        f"    {one.low:.0%} to {one.high:<13.0%} {one.predicted:26.0%} {one.reached:22.0%} {one.n:10,}"
        for one in report.goals
    )
    return f"""Growth lines: level now and slope a week of each learner, and the chance of each goal on its date.

  slope                 true one in the 95 % interval   correlation with it   learners
{slopes or "    not fitted"}

  goal, probability                      predicted   reached in the simulation      goals
{goals or "    no goal with a probability"}

  thetaline growth                                  who is getting better, and the goals
"""
