"""A learner's token has no scope that shows other learners."""

from thetaline.db.migrations.runner import execute_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the revision's SQL."""
    execute_file(__file__)
