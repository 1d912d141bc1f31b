"""The ledger: rows that outlive failures, one run of a job at a time, orphans closed."""

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, suppress
from datetime import UTC, date, datetime

import psycopg
import pytest

from thetaline import db
from thetaline.db import ledger
from thetaline.db.ledger import RunState
from thetaline.errors import JobError, LockedError

NOW = datetime(2025, 11, 2, 4, 15, 23, tzinfo=UTC)
DAY = date(2025, 11, 2)

HOLD_A_RUN = """
import sys, time
from datetime import UTC, date, datetime
from thetaline.db import ledger
with ledger.open_run(sys.argv[1], "snapshot_theta", as_of=date(2025, 11, 2), now=datetime(2025, 11, 2, tzinfo=UTC)):
    print("open", flush=True)
    time.sleep(60)
"""


def rows(url: str) -> list[tuple[object, ...]]:
    with db.connect(url) as conn:
        return conn.execute("select run_id, state, error from run order by run_id").fetchall()


def open_calibration(url: str) -> AbstractContextManager[ledger.OpenRun]:
    return ledger.open_run(url, "mirt_calibrate", as_of=DAY, now=NOW, settings={"model": "2PL"})


def test_a_run_that_ends_well_is_done_and_bears_the_contracts_id(database: str) -> None:
    with open_calibration(database) as run:
        assert rows(database) == [("fit-2025-11-02T04:15:23Z", "running", None)]
    assert rows(database) == [(run.run_id, "done", None)]


def test_two_runs_in_one_second_have_two_ids(database: str) -> None:
    for _ in range(3):
        with open_calibration(database):
            pass
    assert [row[0] for row in rows(database)] == [
        "fit-2025-11-02T04:15:23Z",
        "fit-2025-11-02T04:15:23Z-2",
        "fit-2025-11-02T04:15:23Z-3",
    ]


def test_the_row_outlives_the_transaction_that_failed(database: str) -> None:
    with (  # noqa: PT012 - the point is what the contexts do
        pytest.raises(ZeroDivisionError),
        open_calibration(database) as run,
        db.connect(database) as conn,
    ):
        conn.execute("insert into calibration (run_id, model_spec) values (%s, '{}')", [run.run_id])
        raise ZeroDivisionError("postgresql://me:sesame@host/db broke")
    assert rows(database) == [(run.run_id, "failed", "ZeroDivisionError: postgresql://me:***@host/db broke")]
    with db.connect(database) as conn:
        assert conn.execute("select count(*) from calibration").fetchone() == (0,)


def test_ctrl_c_is_recorded_as_a_failure(database: str) -> None:
    with pytest.raises(KeyboardInterrupt), open_calibration(database):
        raise KeyboardInterrupt
    assert rows(database)[0][1:] == ("failed", "KeyboardInterrupt: ")


def test_a_run_keeps_the_summary_as_it_stands_when_the_run_ends(database: str) -> None:
    for error in (None, ZeroDivisionError(), KeyboardInterrupt()):
        summary: dict[str, object] = {}
        with (
            suppress(ZeroDivisionError, KeyboardInterrupt),
            ledger.open_run(database, "nightly", as_of=DAY, now=NOW, summary=summary),
        ):
            summary["stages"] = ["one"]
            if error:
                raise error
    with db.connect(database) as conn:
        found = conn.execute("select state, summary from run order by run_id").fetchall()
    assert found == [(state, {"stages": ["one"]}) for state in ("done", "failed", "failed")]


def test_closing_commits_with_the_rows_or_not_at_all(database: str) -> None:
    with open_calibration(database) as run:
        with db.connect(database) as conn:
            ledger.close_run(conn, run.run_id, RunState.PUBLISHED, summary={"n_items": 5})
            assert rows(database)[0][1] == "running"
            conn.rollback()
        with db.connect(database) as conn:
            ledger.close_run(conn, run.run_id, RunState.PUBLISHED, summary={"n_items": 5})
    with db.connect(database) as conn:
        assert conn.execute("select state, summary from run").fetchall() == [("published", {"n_items": 5})]


def test_a_run_cannot_be_closed_twice(database: str) -> None:
    with open_calibration(database) as run:
        ledger.close_run(run.conn, run.run_id, RunState.HELD)
        with pytest.raises(JobError, match="fit-2025-11-02T04:15:23Z is not running any more"):
            ledger.close_run(run.conn, run.run_id, RunState.PUBLISHED)


def test_a_second_run_of_the_job_is_told_who_holds_the_lock(database: str) -> None:
    who = f"run fit-2025-11-02T04:15:23Z, process {os.getpid()} on .*, since 2025-11-02 04:15:23 UTC"
    with open_calibration(database), pytest.raises(LockedError, match=who), open_calibration(database):
        pass
    assert [row[1] for row in rows(database)] == ["done"]


def test_another_job_and_another_database_are_not_locked_out(database: str, empty_database: str) -> None:
    db.migrate(empty_database)
    with (
        open_calibration(database),
        open_calibration(empty_database),
        ledger.open_run(database, "snapshot_theta", as_of=DAY, now=NOW) as run,
    ):
        assert run.run_id == "snapshot_theta-2025-11-02T04:15:23Z"


def test_a_killed_process_leaves_an_orphan_that_the_next_run_closes(database: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLD_A_RUN, database], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        with pytest.raises(LockedError, match=f"process {child.pid} on"), _snapshot(database):
            pass
        child.send_signal(signal.SIGKILL)
    with _snapshot(database) as run:
        pass
    (_, state, error), second = rows(database)
    assert (state, second) == ("failed", (run.run_id, "done", None))
    assert str(error).startswith(f"orphaned: process {child.pid} on ")


def test_a_run_whose_connection_broke_is_closed_on_another(database: str) -> None:
    broken = ledger.open_run(database, "mirt_calibrate", as_of=DAY, now=NOW, summary={"n": 1})
    with pytest.raises(psycopg.OperationalError), broken as run:  # noqa: PT012
        with db.connect(database, autocommit=True) as conn:
            conn.execute("select pg_terminate_backend(%s)", [run.conn.info.backend_pid])
        run.conn.execute("select 1")
    with db.connect(database) as conn:
        assert conn.execute("select state, summary from run").fetchall() == [("failed", {"n": 1})]


def _snapshot(url: str) -> AbstractContextManager[ledger.OpenRun]:
    return ledger.open_run(url, "snapshot_theta", as_of=DAY, now=NOW)
