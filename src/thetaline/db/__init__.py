"""PostgreSQL: the embedded server, connections, migrations, the run ledger, bulk read and write."""

from thetaline.db import embedded, ledger, migrations
from thetaline.db.connection import connect, explained
from thetaline.db.migrations import check_migrated, migrate
from thetaline.db.statements import sql

__all__ = ["check_migrated", "connect", "embedded", "explained", "ledger", "migrate", "migrations", "sql"]
