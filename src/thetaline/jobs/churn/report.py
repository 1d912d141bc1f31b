"""The newest risks of falling silent, the highest first."""

from thetaline import db
from thetaline.jobs.newest_rows import NewestRows

REPORT = NewestRows(db.sql("jobs/churn/report.sql"), ("user_id", "risk", "hazard_ratio", "rank_percentile", "in_force"))
