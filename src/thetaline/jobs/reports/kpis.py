"""The weekly indicators of a learner beside those of the week before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from thetaline import db
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.reports.value import Change, KpiValue

SQL = db.sql("jobs/reports/kpis.sql")
SHOWN = ("I_t", "E_t", "R_t", "A_t", "P")  # S is a risk, which has a place of its own
CHANGE_OF = {1: Change.UP, -1: Change.DOWN, 0: Change.NO_CLEAR_CHANGE}
Connection = psycopg.Connection[Any]


def read_kpis(conn: Connection, runs: WeekRuns, learners: Iterable[int]) -> dict[int, tuple[KpiValue, ...]]:
    """By learner_no; a KPI that could not be computed this week is absent."""
    weeks: dict[int, dict[bool, Mapping[str, Any]]] = defaultdict(dict)
    for number, week, kpis in conn.execute(SQL["kpis"], {"learners": list(learners), "week": runs.week}):
        weeks[number][week == runs.week] = kpis
    return {number: _values(rows.get(True, {}), rows.get(False, {})) for number, rows in weeks.items()}


def _values(now: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[KpiValue, ...]:
    return tuple(
        KpiValue(key, now[key], before.get(key), _change(key, now), better=Change.UP) for key in SHOWN if key in now
    )


def _change(key: str, now: Mapping[str, Any]) -> Change:
    """Of I_t, which is a change, by the stored test of it; no other KPI has an error that a change could be held to."""
    return CHANGE_OF[now["reliable_change"]] if key == "I_t" else Change.UNKNOWN
