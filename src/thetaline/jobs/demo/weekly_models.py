"""The demo's lines on forecasts, churn and segments: what each says of the simulated school, or why nothing."""

from typing import Any

import psycopg

from thetaline import db

_SQL = db.sql("jobs/demo/demo.sql")
Connection = psycopg.Connection[Any]


def weekly_models_text(conn: Connection) -> str:
    """A line each, and the commands that show more."""
    lines = {"forecast": _forecasts(conn), "churn": _churn(conn), "segments": _segments(conn)}
    conn.rollback()
    told = "\n".join(f"  thetaline {name:<10} {line}" for name, line in lines.items())
    return f"Once a week, for staff:\n\n{told}\n"


def _forecasts(conn: Connection) -> str:
    rows = conn.execute(_SQL["newest_forecasts"]).fetchall()
    if not rows:
        return "not run"
    n_series, n_alarms = sum(row[1] for row in rows), sum(row[2] for row in rows)
    without = "".join(f"; {metric} {reason}" for metric, _, _, reason in rows if reason)
    return f"{n_series:,} series, four weeks ahead; {n_alarms} odd values in the newest week{without}"


def _churn(conn: Connection) -> str:
    row = conn.execute(_SQL["newest_churn"]).fetchone()
    if row is None:
        return "not run"
    in_force, auc, brier, reason = row
    return reason or f"the risk is that of {in_force}: AUC {auc:.2f}, Brier score {brier:.3f} on weeks held out"


def _segments(conn: Connection) -> str:
    row = conn.execute(_SQL["newest_segments"]).fetchone()
    if row is None:
        return "not run"
    centers, reason = row
    return reason or ", ".join(f"{one['english']} ({one['size']:,})" for one in centers)
