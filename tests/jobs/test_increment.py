"""A night costs what its windows hold, however long the history behind them is."""

import numpy as np
from learners import TODAY, Connection, bank_params, connected, context, publish_items

from thetaline.db.bulk import copy_rows
from thetaline.jobs.abilities import snapshot
from thetaline.jobs.features import backfill
from thetaline.jobs.kpis import compute
from thetaline.learning.windows import KPI_WINDOW_DAYS

LEARNERS, ITEMS, A_DAY, DAYS = 200, 40, 150, 1_000


def write_history(conn: Connection) -> None:
    """As many answers on each of the days that end with TODAY, straight into the table that triggers fill."""
    rng = np.random.default_rng(1)
    n = A_DAY * DAYS
    number = np.arange(n)
    copy_rows(conn, "learner", ["user_id"], [[f"u{one}" for one in range(LEARNERS)]])
    copy_rows(conn, "topic", ["topic_id"], [["algebra"]])
    at = np.datetime64(TODAY, "us") - (DAYS - 1 - number // A_DAY) * np.timedelta64(1, "D") + np.timedelta64(9, "h")
    columns = {
        "exam_result_id": np.char.mod("%032x", number),
        "ordinal": 1,
        "learner_no": rng.integers(1, LEARNERS + 1, n),
        "item_no": rng.integers(1, ITEMS + 1, n),
        "topic_no": 1,
        "answered_at": at,
        "correct": rng.random(n) < 0.5,
    }
    copy_rows(conn, "answer", list(columns), list(columns.values()))
    conn.commit()
    conn.autocommit = True
    conn.execute("vacuum analyze answer")
    conn.autocommit = False


def rows_read(conn: Connection) -> int:
    """Rows of `answer` that any statement has read so far."""
    conn.execute("select pg_stat_force_next_flush()")
    conn.commit()
    row = conn.execute(
        "select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = 'answer'"
    ).fetchone()
    conn.commit()
    return int(row[0])


def test_a_night_reads_its_windows_and_not_the_history_before_them(database: str) -> None:
    with connected(database) as conn:
        publish_items(conn, bank_params(ITEMS, np.random.default_rng(2)))
        write_history(conn)
        for job, days in ((snapshot, 30), (backfill, 7), (compute, 2 * KPI_WINDOW_DAYS)):
            before = rows_read(conn)
            job.work(context(conn, database, job.JOB))
            assert A_DAY * days <= rows_read(conn) - before <= 1.5 * A_DAY * days, job.JOB
