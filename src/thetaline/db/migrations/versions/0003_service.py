"""Tokens of the HTTP service and its queue of large fits."""

from thetaline.db.migrations.runner import execute_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the revision's SQL."""
    execute_file(__file__)
