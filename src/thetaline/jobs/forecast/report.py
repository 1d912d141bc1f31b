"""The newest forecasts of a metric, and the anomalies of its newest week."""

from thetaline import db
from thetaline.jobs.newest_rows import NewestRows

SQL = db.sql("jobs/forecast/report.sql")
FORECASTS = NewestRows(
    SQL,
    (
        "user_id", "classroom_id", "week_start", "mean", "sd", "low_95", "low_80", "high_80", "high_95", "weeks_known",
        "changed_on", "reason",
    ),
)  # fmt: skip
ANOMALIES = NewestRows(
    SQL,
    ("user_id", "classroom_id", "week_start", "metric", "value", "expected", "anomaly_score", "p_value"),
    rows="anomalies",
)
