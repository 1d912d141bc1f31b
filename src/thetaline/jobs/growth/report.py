"""The current growth lines of learners, with their goals, in rows for people and for files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from thetaline import db

SQL = db.sql("jobs/growth/report.sql")
CLEAR = 1.96  # a slope that lies farther from 0 than this many standard errors is told as growth or loss
COLUMNS = (
    "user_id", "level", "level_se", "slope", "slope_se", "n_weeks", "bend_week",
    "topic_id", "target_level", "target_date", "probability", "ever_probability", "reason", "trend",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GrowthLines:
    """Rows by the names of `COLUMNS`; `as_of` is the last day of the week that levels are of."""

    run_id: str
    as_of: date
    rows: Sequence[dict[str, Any]]


def current_lines(
    conn: psycopg.Connection[Any], as_of: date, *, users: Sequence[str] | None = None, most: int | None = None
) -> GrowthLines | None:
    """Of all learners, or of some; None where nothing was fitted up to the day."""
    run = conn.execute(SQL["newest_run"], {"as_of": as_of}).fetchone()
    if run is None:
        return None
    parameters = {"run_id": run[0], "users": None if users is None else list(users), "most": most}
    found = conn.execute(SQL["lines_with_goals"], parameters).fetchall()
    return GrowthLines(run[0], run[1], [_row(one) for one in found])


def reason_of_none(conn: psycopg.Connection[Any], as_of: date) -> str | None:
    """Why the newest fit up to a day gave no lines."""
    row = conn.execute(SQL["newest_reason"], {"as_of": as_of}).fetchone()
    return None if row is None else str(row[0])


def _row(values: tuple[Any, ...]) -> dict[str, Any]:
    row = dict(zip(COLUMNS, values, strict=False))
    return {**row, "trend": _trend(row)}


def _trend(row: dict[str, Any]) -> str:
    """What the line says, in words; a slope within its error says nothing."""
    if row["bend_week"] is not None:
        return f"level since {row['bend_week']}"
    if abs(row["slope"]) <= CLEAR * row["slope_se"]:
        return "no clear change"
    return "getting better" if row["slope"] > 0 else "getting worse"
