"""Coded answers, θ of a day, topic abilities without foreign keys."""

from thetaline.db.migrations.runner import execute_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the revision's SQL."""
    execute_file(__file__)
