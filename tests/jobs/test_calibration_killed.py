"""kill -9 of the job and of the database: never a half-published run, and the next start goes on."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg
from processes import kill, start, wait, writes_stopped
from school import rows, school, set_anchors, true_anchors, write

from thetaline import db
from thetaline.jobs.calibration import nightly_fit
from thetaline.jobs.calibration.gate import CHECKS
from waiting import waits_for_a_lock

SCHOOL = school(n_items=15, n_users=120)
FIRST_DAY = date(2025, 11, 2)
MOMENTS = (
    "observations loaded",
    "anchors loaded",
    "calibration started",
    "calibration finished",
    "user count",
    "gate",
    "published",
)
TABLES = ("calibration", "item_param", "ability", "gate_result")


def start_night(url: str, day: date, log: Path) -> BaseProcess:
    return start(nightly_fit.main, ["--date", str(day)], url, log)


def teach(url: str) -> None:
    write(url, SCHOOL.sit(date(2025, 11, 1), items_each=12, seed=1))
    set_anchors(url, true_anchors(SCHOOL, range(0, 15, 2)))


def states(url: str) -> list[str]:
    return [
        state
        for (state,) in rows(url, "select state from run where job = 'mirt_calibrate' order by started_at, run_id")
    ]


def halves(url: str) -> list[tuple[object, ...]]:
    """Runs whose rows are not all there, or are there without a verdict."""
    return rows(
        url,
        f"""select run_id, state, c, i, a, g from run cross join lateral (select
               (select count(*) from calibration where calibration.run_id = run.run_id) as c,
               (select count(*) from item_param where item_param.run_id = run.run_id) as i,
               (select count(*) from ability where ability.run_id = run.run_id) as a,
               (select count(*) from gate_result where gate_result.run_id = run.run_id) as g) as counted
           where case when state in ('published', 'held') then (c, i, a, g) <> (1, 15, 120, {len(CHECKS)})
                      else c + i + a + g > 0 end""",
    )


def has_said(log: Path, event: str) -> Callable[[], bool]:
    return lambda: f'"event": "{event}"' in log.read_text()


def test_kills_at_every_step_and_write_never_leave_half_a_night_and_the_next_one_succeeds(
    database: str, tmp_path: Path
) -> None:
    teach(database)
    log = tmp_path / "night.log"
    days = (FIRST_DAY + timedelta(days=number) for number in count())
    for event in MOMENTS:
        process = start_night(database, next(days), log)
        wait(process, log, has_said(log, event))
        kill(process)
        assert halves(database) == []
    for table in TABLES:
        with writes_stopped(database, table):
            process = start_night(database, next(days), log)
            wait(process, log, waits_for_a_lock(database))
            kill(process)
        assert halves(database) == []
    last = start_night(database, next(days), log)
    last.join()
    assert (last.exitcode, halves(database)) == (0, []), log.read_text()
    ends = states(database)
    assert len(ends) == len(MOMENTS) + len(TABLES) + 1
    assert ends[len(MOMENTS) :] == ["failed"] * len(TABLES) + ["published"]
    assert set(ends) == {"failed", "published"}
    errors = rows(database, "select distinct starts_with(error, 'orphaned: process') from run where state = 'failed'")
    assert errors == [(True,)]


def test_a_database_killed_in_the_middle_of_publishing_comes_back_as_it_was(
    own_server: tuple[Path, str], tmp_path: Path
) -> None:
    root, url = own_server
    teach(url)
    log = tmp_path / "night.log"
    with suppress(psycopg.OperationalError), writes_stopped(url, "ability"):
        process = start_night(url, FIRST_DAY, log)
        wait(process, log, waits_for_a_lock(url))
        status = db.embedded.status(root)
        assert status.pid is not None
        os.kill(status.pid, signal.SIGKILL)
        process.join()
    said = log.read_text()
    assert process.exitcode == 1, said
    assert "nothing of this transaction was kept" in said
    with db.embedded.lease(root) as held:
        assert states(held.url) == ["running"]
        assert halves(held.url) == []
        again = start_night(held.url, FIRST_DAY, log)
        again.join()
        assert again.exitcode == 0, log.read_text()
        assert (states(held.url), halves(held.url)) == (["failed", "published"], [])
