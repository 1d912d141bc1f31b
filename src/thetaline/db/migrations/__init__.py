"""The schema's history: plain SQL files, run in order, recorded in `schema_migration`, compared with what is there."""

from thetaline.db.migrations.comparison import Difference, differences
from thetaline.db.migrations.files import Migration, migration_files, wanted
from thetaline.db.migrations.history import HistoryLine, check_migrated, current, history
from thetaline.db.migrations.run import migrate, script, stamp

__all__ = [
    "Difference",
    "HistoryLine",
    "Migration",
    "check_migrated",
    "current",
    "differences",
    "history",
    "migrate",
    "migration_files",
    "script",
    "stamp",
    "wanted",
]
