"""The newest risks of falling silent, the highest first, and how good they were on weeks held out."""

from thetaline import db
from thetaline.jobs.newest_rows import NewestRows

SQL = db.sql("jobs/churn/report.sql")
RISKS = NewestRows(SQL, ("user_id", "risk", "hazard_ratio", "rank_percentile", "in_force"))
ACCURACY = NewestRows(SQL, ("of", "n", "n_silent", "auc", "brier", "log_loss", "slope", "intercept"), rows="accuracy")
