"""Answers kept by triggers, the attempt view, the current estimates."""

from thetaline.db.migrations.runner import execute_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the revision's SQL."""
    execute_file(__file__)
