"""Keys under which a client may ask for the same job again."""

from thetaline.db.migrations.runner import execute_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the revision's SQL."""
    execute_file(__file__)
