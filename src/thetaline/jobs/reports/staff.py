"""What only a teacher's page may show: the chance of silence, and the segment."""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from thetaline import db
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.learning.segments import UNSTABLE
from thetaline.reports.value import Absent, Language, Risk

SQL = db.sql("jobs/reports/staff.sql")
Connection = psycopg.Connection[Any]


def read_risks(conn: Connection, runs: WeekRuns, learners: Iterable[int]) -> dict[int, Risk]:
    """By learner_no; who has been silent for long is at no risk any more and absent."""
    rows = conn.execute(SQL["risks"], {"run_id": runs.churn, "learners": list(learners)})
    return {number: Risk(risk, source) for number, risk, source in rows}


def read_segments(conn: Connection, runs: WeekRuns, learners: Iterable[int]) -> dict[int, Mapping[str, str]]:
    """By learner_no the label in each language; who is in no group, or in one that is not stable, is absent."""
    values = {"run_id": runs.segments, "learners": list(learners), "unstable": UNSTABLE}
    rows = conn.execute(SQL["segments"], values)
    return {number: {Language.EN: english, Language.KO: korean} for number, english, korean in rows}


def absent_risk(runs: WeekRuns) -> Absent:
    """Why a learner has none."""
    return Absent.NOT_FITTED if runs.churn is None else Absent.NO_ANSWERS


def absent_segment(runs: WeekRuns) -> Absent:
    """Why a learner has none."""
    return Absent.NOT_FITTED if runs.segments is None else Absent.TOO_FEW_ANSWERS
