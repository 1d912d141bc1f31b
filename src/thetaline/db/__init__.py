"""PostgreSQL: the embedded server, connections, migrations, the run ledger, bulk read and write."""
