"""Decisions about drifted items last, and a check of a past day does not speak for today."""

from thetaline.db.migrations.runner import execute_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the revision's SQL."""
    execute_file(__file__)
