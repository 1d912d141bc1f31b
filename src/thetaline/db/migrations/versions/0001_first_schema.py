"""The contract's tables, keyed by run."""

from thetaline.db.migrations.runner import execute_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the revision's SQL."""
    execute_file(__file__)
