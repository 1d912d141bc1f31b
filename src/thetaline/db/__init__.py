"""PostgreSQL: the embedded server, connections, migrations, the run ledger, bulk read and write."""

from thetaline.db import embedded, ledger
from thetaline.db.connection import connect, explained
from thetaline.db.schema import check_migrated, migrate
from thetaline.db.statements import sql

__all__ = ["check_migrated", "connect", "embedded", "explained", "ledger", "migrate", "sql"]
