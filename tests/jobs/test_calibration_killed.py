"""kill -9 of the job and of the database: never a half-published run, and the next start goes on."""

import multiprocessing
import os
import signal
import time
from datetime import date, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import psycopg
from school import rows, school, set_anchors, true_anchors, write

from thetaline import db
from thetaline.jobs.calibration import nightly_fit

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
# A server of forks: a fresh interpreter would spend nearly all of its time on imports.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["thetaline.jobs.calibration.nightly_fit"])


def night(url: str, day: str, log: str) -> None:
    """The job, with everything it says in a file."""
    for descriptor in (1, 2):
        os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND), descriptor)
    os.environ["DATABASE_URL"] = url
    raise SystemExit(nightly_fit.main(["--date", day]))


def start_night(url: str, day: date, log: Path) -> BaseProcess:
    log.write_text("")
    process = FORKS.Process(target=night, args=(url, str(day), str(log)))
    process.start()
    return process


def kill_after(process: BaseProcess, log: Path, moment: str, delay: float) -> None:
    """Kill -9 so long after a line of the log, or let it end."""
    while process.is_alive() and f'"event": "{moment}"' not in log.read_text():
        time.sleep(0.001)
    time.sleep(delay)
    process.kill()
    process.join()


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
        """select run_id, state, c, i, a, g from run cross join lateral (select
               (select count(*) from calibration where calibration.run_id = run.run_id) as c,
               (select count(*) from item_param where item_param.run_id = run.run_id) as i,
               (select count(*) from ability where ability.run_id = run.run_id) as a,
               (select count(*) from gate_result where gate_result.run_id = run.run_id) as g) as counted
           where case when state in ('published', 'held') then (c, i, a, g) <> (1, 15, 120, 8)
                      else c + i + a + g > 0 end""",
    )


def test_twenty_kills_never_leave_half_a_night_and_the_next_one_succeeds(database: str, tmp_path: Path) -> None:
    teach(database)
    rng = np.random.default_rng(17)
    log = tmp_path / "night.log"
    for trial in range(20):
        process = start_night(database, FIRST_DAY + timedelta(days=trial), log)
        kill_after(process, log, MOMENTS[trial % len(MOMENTS)], float(rng.uniform(0, 0.03)))
        assert halves(database) == []
        assert states(database)[:-1].count("running") == 0
    last = start_night(database, FIRST_DAY + timedelta(days=20), log)
    last.join()
    assert (last.exitcode, halves(database)) == (0, []), log.read_text()
    ends = states(database)
    assert (len(ends), ends[-1], set(ends)) == (21, "published", {"published", "failed"})
    errors = rows(database, "select distinct starts_with(error, 'orphaned: process') from run where state = 'failed'")
    assert errors == [(True,)]


def test_a_database_killed_in_the_middle_of_publishing_comes_back_as_it_was(
    own_server: tuple[Path, str], tmp_path: Path
) -> None:
    root, url = own_server
    teach(url)
    log = tmp_path / "night.log"
    other = psycopg.connect(url)
    other.execute("lock table ability in share mode")
    process = start_night(url, FIRST_DAY, log)
    while rows(url, "select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == [(0,)]:
        assert process.is_alive(), log.read_text()
        time.sleep(0.01)
    status = db.embedded.status(root)
    assert status.pid is not None
    os.kill(status.pid, signal.SIGKILL)
    process.join()
    said = log.read_text()
    assert process.exitcode == 1, said
    assert "nothing of this transaction was kept" in said
    other.close()
    with db.embedded.lease(root) as held:
        assert states(held.url) == ["running"]
        assert halves(held.url) == []
        again = start_night(held.url, FIRST_DAY, log)
        again.join()
        assert again.exitcode == 0, log.read_text()
        assert (states(held.url), halves(held.url)) == (["failed", "published"], [])
