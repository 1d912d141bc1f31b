"""Which job owns which key of `weekly_kpi.kpis`: the table kpi_key says it, and a trigger refuses everything else."""

from typing import Any

import psycopg

from thetaline import db

SQL = db.sql("jobs/kpis/key_registry.sql")


def declare_writer(conn: psycopg.Connection[Any], job: str) -> None:
    """Until the transaction ends, what it writes into `weekly_kpi` is this job's, which may touch its own keys only."""
    conn.execute(SQL["declare_writer"], {"writer": job})
