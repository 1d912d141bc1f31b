"""θ of a day: general θ only where the topic has none; a checksum of the topics beside it."""

from thetaline.db.migrations.runner import execute_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the revision's SQL."""
    execute_file(__file__)
