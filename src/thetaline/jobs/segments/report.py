"""The newest segment of each learner, the largest segment first."""

from thetaline import db
from thetaline.jobs.newest_rows import NewestRows

REPORT = NewestRows(db.sql("jobs/segments/report.sql"), ("user_id", "segment_label", "english", "korean", "features"))
