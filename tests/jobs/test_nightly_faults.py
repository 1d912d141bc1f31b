"""Nights that fail, and dry ones: which stages still run, what programs are told, what the ledger keeps."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from learners import NOW, TODAY, Connection, connected
from nights import ORDER, WEEKLY, night, states, statuses, write_school
from school import Ended, rows, runner

from thetaline.db import ledger
from thetaline.errors import JobError
from thetaline.jobs.nightly import night as night_job
from thetaline.jobs.runner import JobContext, run_job
from thetaline.jobs.stage import Stage

TABLES = ("run", "calibration", "item_param", "ability", "topic_ability", "features_topic_daily", "weekly_kpi")
Run = Callable[..., Ended]


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connected(database) as conn:
        yield conn


@pytest.fixture
def school(conn: Connection) -> None:
    write_school(conn)


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on this test's database and date; options as it knows them."""
    command = runner(night_job.main, database, monkeypatch, capsys)
    return partial(command, "--date", str(TODAY))


@pytest.fixture
def run_chain(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """As `run`, with stages of the test's own."""

    def run_(stages: Sequence[Stage], *, dry_run: bool = False, start: str | None = None) -> Ended:
        def main(_: list[str]) -> int:
            work = partial(night_job.work, stages=stages, start=start)
            return run_job("nightly", work, date=str(TODAY), dry_run=dry_run, writes_temp=True)

        return runner(main, database, monkeypatch, capsys)()

    return run_


def chain(job: str, error: BaseException) -> list[Stage]:
    """The night's own stages, one of which raises."""

    def work(_: JobContext) -> dict[str, object]:
        raise error

    return [replace(stage, work=work) if stage.name == job else stage for stage in night_job.STAGES]


def kept(database: str) -> list[tuple[Any, ...]]:
    return rows(database, "select state, summary -> 'stages' from run where job = 'nightly' order by started_at")


def counts(database: str) -> list[Any]:
    return [rows(database, f"select count(*) from {table}") for table in TABLES]


def test_an_unexpected_fault_in_one_stage_leaves_those_that_do_not_need_it_to_run(
    database: str, school: None, run_chain: Run
) -> None:
    ended = run_chain(chain("irt_drift", IndexError("list index\nout of range")))
    assert (ended.code, ended.summary["status"]) == (1, "failed")
    assert states(ended.summary) == ["done", "failed", "done", "done", "done"]
    assert ended.summary["stages"][1]["error"].startswith("unexpected IndexError: list index out of range")
    assert ended.summary["error"] == ended.summary["stages"][1]["error"]
    (logged,) = [line for line in ended.log if line["event"] == "unexpected error"]
    assert logged["job"] == "irt_drift"
    assert logged["traceback"].startswith("Traceback")
    assert "raise error\nIndexError: list index\nout of range" in logged["traceback"]
    assert rows(database, "select count(*) from weekly_kpi") == [(80,)]


def test_a_stage_that_fails_blocks_those_that_need_it_and_they_say_so(school: None, run_chain: Run) -> None:
    ended = run_chain(chain("snapshot_theta", IndexError("boom")))
    assert states(ended.summary) == ["done", "done", "failed", "blocked", "blocked"]
    assert ended.summary["stages"][3]["reason"] == "needs snapshot_theta, which did not succeed"
    assert "backfill_features    blocked            0.0 s  needs snapshot_theta, which did not" in ended.stderr


def test_a_stage_without_memory_is_told_in_its_own_words(school: None, run_chain: Run) -> None:
    ended = run_chain(chain("irt_drift", MemoryError()))
    assert states(ended.summary) == ["done", "failed", "done", "done", "done"]
    assert (ended.code, ended.summary["error"]) == (1, "out of memory; the tables are as they were")


def test_ctrl_c_ends_the_night_at_once_and_what_was_done_is_told(database: str, school: None, run_chain: Run) -> None:
    ended = run_chain(chain("irt_drift", KeyboardInterrupt()))
    assert (ended.code, ended.summary["status"], states(ended.summary)) == (130, "interrupted", ["done"])
    assert kept(database) == [("failed", ended.summary["stages"])]


def test_a_held_night_tells_its_stages_in_the_summary_line_and_in_the_ledger(
    database: str, school: None, run: Run
) -> None:
    ended = run(MIRT_GATE_MIN_USERS="1000")
    assert (ended.code, ended.summary["status"], ended.summary["date"]) == (1, "held", str(TODAY))
    assert [stage["stage"] for stage in ended.summary["stages"]] == [*ORDER, *WEEKLY]
    assert states(ended.summary) == ["failed"] + ["blocked"] * 4
    assert ended.summary["stages"][0]["error"] == ended.summary["error"]
    assert kept(database) == [("failed", ended.summary["stages"])]


def test_a_night_without_answers_is_bad_input_with_its_stages(database: str, run: Run) -> None:
    ended = run()
    assert (ended.code, ended.summary["status"]) == (2, "bad_input")
    assert states(ended.summary) == ["failed"] + ["blocked"] * 4
    assert kept(database) == [("failed", ended.summary["stages"])]


def test_a_fault_of_the_database_is_told_with_advice_by_its_stage(conn: Connection, school: None, run: Run) -> None:
    conn.execute("alter table features_topic_daily rename to elsewhere")
    conn.commit()
    ended = run()
    assert (ended.code, states(ended.summary)) == (1, ["done", "done", "done", "failed", "blocked"])
    assert "thetaline db migrate" in ended.summary["stages"][3]["error"]


def test_a_connection_that_goes_away_fails_the_stages_and_the_night_is_told_and_closed(
    database: str, school: None, run_chain: Run
) -> None:
    def cut(context: JobContext) -> dict[str, object]:
        context.conn.execute("select pg_terminate_backend(pg_backend_pid())")
        return {}

    stages = [replace(stage, work=cut) if stage.name == "irt_drift" else stage for stage in night_job.STAGES]
    ended = run_chain(stages)
    assert (ended.code, states(ended.summary)) == (1, ["done", "failed", "failed", "blocked", "blocked"])
    assert "the server went away" in ended.summary["error"]
    assert kept(database) == [("failed", ended.summary["stages"])]


def test_secrets_and_nuls_in_an_error_keep_out_of_the_ledger(database: str, school: None, run_chain: Run) -> None:
    run_chain(chain("irt_drift", JobError("no postgresql://me:sesame@host/db\0")))
    ((state, stages),) = kept(database)
    assert (state, stages[1]["error"]) == ("failed", "no postgresql://me:***@host/db")


def test_a_range_that_fails_tells_the_nights_before_and_the_failed_one(database: str, school: None, run: Run) -> None:
    ended = run("--since", str(TODAY - timedelta(days=1)))  # the second calibration has no anchors
    assert (ended.code, ended.summary["status"]) == (1, "held")
    assert "stages" not in ended.summary
    done, failed = (one["stages"] for one in ended.summary["nights"])
    n_stages = len(night_job.STAGES)
    assert (statuses(done), statuses(failed)) == (["done"] * n_stages, ["failed"] + ["blocked"] * (n_stages - 1))
    assert kept(database) == [("done", done), ("failed", failed)]


def test_a_night_that_is_locked_out_has_no_stages(database: str, school: None, run: Run) -> None:
    with ledger.open_run(database, "nightly", as_of=TODAY, now=NOW) as other:
        ended = run()
    assert (ended.code, ended.summary["status"], ended.summary["stages"]) == (1, "locked", [])
    assert f"nightly is under way already: run {other.run_id}, process " in ended.summary["error"]


def test_the_first_dry_night_ends_well_though_some_stages_need_what_others_would_write(
    database: str, school: None, run: Run
) -> None:
    before = counts(database)
    ended = run("--dry-run")
    assert (ended.code, ended.summary["status"]) == (0, "dry_run")
    assert states(ended.summary) == ["done", "blocked", "blocked", "done", "done"]
    for stage in ended.summary["stages"][1:3]:
        assert stage["reason"].startswith("needs what mirt_calibrate would write: ")
        assert stage["reason"].endswith("run `thetaline calibrate` first")
    assert "needs what mirt_calibrate would write" in ended.stderr
    assert counts(database) == before


def test_a_dry_night_whose_stage_fails_ends_as_a_real_one_would(database: str, run: Run) -> None:
    ended = run("--dry-run")
    assert (ended.code, ended.summary["status"]) == (2, "bad_input")
    assert states(ended.summary) == ["failed"] + ["blocked"] * 4
    assert ended.summary["stages"][1]["reason"] == "needs mirt_calibrate, which did not succeed"
    assert rows(database, "select count(*) from run") == [(0,)]


def test_a_dry_stage_that_fails_though_what_it_needs_is_there_fails_the_night(
    conn: Connection, database: str, school: None, run_chain: Run
) -> None:
    night(conn, database, only="mirt_calibrate")
    for start in (None, "mirt_calibrate"):  # left alone, or made again and not written
        ended = run_chain(chain("snapshot_theta", JobError("no luck")), dry_run=True, start=start)
        assert (ended.code, ended.summary["status"], ended.summary["error"]) == (1, "failed", "no luck")
        assert states(ended.summary)[1:] == ["done", "failed", "blocked", "blocked"]


def test_neither_a_bug_nor_the_database_is_excused_by_what_a_dry_run_did_not_write(
    conn: Connection, school: None, run: Run, run_chain: Run
) -> None:
    bug = run_chain(chain("snapshot_theta", IndexError("boom")), dry_run=True)
    assert (bug.code, states(bug.summary)) == (1, ["done", "blocked", "failed", "blocked", "blocked"])
    conn.execute("alter table features_topic_daily rename to elsewhere")
    conn.commit()
    fault = run("--dry-run")
    assert (fault.code, states(fault.summary)) == (1, ["done", "blocked", "blocked", "failed", "blocked"])


def test_a_dry_stage_that_waits_for_one_that_waits_is_excused_too(school: None, run_chain: Run) -> None:
    ended = run_chain(chain("backfill_features", JobError("no θ of the day")), dry_run=True)
    assert (ended.code, states(ended.summary)) == (0, ["done", "blocked", "blocked", "blocked", "done"])
    assert ended.summary["stages"][3]["reason"] == "needs what snapshot_theta would write: no θ of the day"


def test_a_dry_run_refuses_a_stage_whose_need_is_not_there_as_a_real_one_does(school: None, run: Run) -> None:
    for options in ((), ("--dry-run",)):
        ended = run("--from", "snapshot_theta", *options)
        assert (ended.code, states(ended.summary)) == (1, ["blocked"] * 3)
        assert "needs mirt_calibrate, which has not succeeded for this date" in ended.summary["error"]
