import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest
from school import rows

from thetaline import cli
from thetaline.errors import HeldError, InputError, JobError, LockedError
from thetaline.jobs import runner
from thetaline.jobs.command_line import parse_since
from thetaline.jobs.runner import date_of_run
from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar
from waiting import wait_until


@pytest.fixture
def run(database, monkeypatch, capsys):
    """Run a job on a fresh database; returns its exit code, its summary and what it told."""
    monkeypatch.setenv("DATABASE_URL", database)

    def run_(work, **options):
        code = runner.run_job("a_job", work, **options)
        out, err = capsys.readouterr()
        assert out.count("\n") == 1
        return code, json.loads(out), err

    return run_


def add_a_question(context):
    context.conn.execute("insert into question (content) values ('2 + 2')")
    return {"questions": 1}


def questions(url):
    with psycopg.connect(url) as conn:
        return conn.execute("select count(*) from question").fetchone()[0]


def raising(error):
    def work(context):
        add_a_question(context)
        raise error

    return work


def test_a_job_that_works_commits_and_says_so(run, database):
    code, summary, _ = run(add_a_question)
    assert (code, summary["job"], summary["status"], summary["questions"]) == (0, "a_job", "done", 1)
    assert summary["elapsed_secs"] >= 0
    assert questions(database) == 1


def test_a_job_that_had_nothing_to_do_exits_0(run):
    code, summary, _ = run(lambda _: {"status": runner.Outcome.ALREADY_DONE, "run_id": "fit-1"})
    assert (code, summary["status"], summary["run_id"]) == (0, "already_done", "fit-1")


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (JobError("no luck"), 1, "failed"),
        (HeldError("kept back"), 1, "held"),
        (LockedError("run 7 holds it"), 1, "locked"),
        (InputError("what is this"), 2, "bad_input"),
        (ValueError("a bug"), 1, "failed"),
        (MemoryError(), 1, "failed"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_every_way_to_fail_has_its_code_and_leaves_the_tables_as_they_were(run, database, error, code, status):
    ended, summary, told = run(raising(error))
    assert (ended, summary["status"]) == (code, status)
    assert summary["error"] in told
    assert str(error) in told
    assert questions(database) == 0


def far(context, failing):
    done = {}
    with runner.summary_on_error(done):
        done["stages"] = ["one"]
        failing(context)


def fails_by(error):
    def failing(_):
        raise error

    return failing


@pytest.mark.parametrize(
    ("failing", "code", "status"),
    [
        (fails_by(HeldError("kept back")), 1, "held"),
        (fails_by(InputError("what is this")), 2, "bad_input"),
        (fails_by(ValueError("a bug")), 1, "failed"),
        (fails_by(KeyboardInterrupt()), 130, "interrupted"),
        (lambda context: context.conn.execute("select * from no_such_table"), 1, "failed"),
    ],
)
def test_what_was_done_before_an_error_is_in_the_summary_line(run, failing, code, status):
    ended, summary, _ = run(lambda context: far(context, failing), date="2025-11-02")
    assert (ended, summary["status"], summary["stages"], summary["date"]) == (code, status, ["one"], "2025-11-02")
    assert summary["error"]


def test_what_an_inner_block_carries_is_kept_beside_what_an_outer_one_does():
    error = JobError("no luck")
    with pytest.raises(JobError), runner.summary_on_error({"a": 1, "b": 1}), runner.summary_on_error({"b": 2}):
        raise error
    assert runner._partial_summary(error) == {"a": 1, "b": 2}


def test_an_unexpected_error_is_logged_with_its_traceback_and_printed_in_one_line(run):
    code, summary, told = run(raising(ValueError("two\nlines")))
    assert (code, summary["error"]) == (1, "unexpected ValueError: two lines; the tables are as they were")
    (logged,) = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert (logged["event"], logged["job"]) == ("unexpected error", "a_job")
    assert logged["traceback"].startswith("Traceback")
    assert logged["traceback"].endswith("ValueError: two\nlines\n")


def test_a_fault_of_the_database_is_told_in_one_line(run):
    code, summary, _ = run(lambda context: context.conn.execute("select * from no_such_table"))
    assert code == 1
    assert 'relation "no_such_table" does not exist' in summary["error"]
    assert "thetaline db migrate" in summary["error"]


def test_a_dry_run_cannot_write_even_when_the_work_tries(run, database):
    code, summary, _ = run(add_a_question, dry_run=True)
    assert code == 1
    assert "read-only" in summary["error"]
    assert questions(database) == 0


def test_a_dry_run_with_temporary_tables_is_rolled_back(run, database):
    code, summary, _ = run(add_a_question, dry_run=True, writes_temp=True)
    assert (code, summary["status"]) == (0, "dry_run")
    assert questions(database) == 0


def test_the_setting_dry_run_is_obeyed(run, monkeypatch):
    monkeypatch.setenv("DRY_RUN", "true")
    seen = []
    run(lambda context: seen.append(context.dry_run) or {})
    assert seen == [True]


def test_the_date_is_the_runs_and_yesterday_by_default(run):
    seen = []
    run(lambda context: seen.append(context.as_of) or {}, date="2025-11-02")
    before = datetime.now(UTC).date()
    run(lambda context: seen.append(context.as_of) or {})
    assert seen[0] == date(2025, 11, 2)
    assert before <= seen[1] + timedelta(days=1) <= datetime.now(UTC).date()


def test_the_last_day_that_is_over_is_the_default_and_today_and_tomorrow_are_refused():
    new_york = SchoolCalendar(ZoneInfo("America/New_York"))
    now = datetime(2025, 11, 3, 4, 30, tzinfo=UTC)  # there still Sunday, 23:30
    assert date_of_run(None, new_york, now) == date(2025, 11, 1)
    assert date_of_run("2025-11-01", new_york, now) == date(2025, 11, 1)
    with pytest.raises(InputError, match="2025-11-02 is not over: it is 23:30 of that day in America/New_York"):
        date_of_run("2025-11-02", new_york, now)
    with pytest.raises(InputError, match="2025-11-03 lies in the future"):
        date_of_run("2025-11-03", new_york, now)
    assert date_of_run(None, new_york, now + timedelta(minutes=30)) == date(2025, 11, 2)


def test_a_date_before_1970_is_a_wrong_year():
    now = datetime(2025, 11, 3, tzinfo=UTC)
    assert date_of_run("1970-01-05", UTC_DAYS, now) == date(1970, 1, 5)
    for text in ("1970-01-04", "0001-01-01"):
        with pytest.raises(InputError, match=f"--date {text} lies before 1970-01-05, the first day of any run"):
            date_of_run(text, UTC_DAYS, now)


def test_a_job_of_today_takes_today_and_refuses_tomorrow_only():
    seoul = SchoolCalendar(ZoneInfo("Asia/Seoul"))
    now = datetime(2025, 11, 2, 23, 30, tzinfo=UTC)  # there Monday, 08:30
    assert date_of_run(None, seoul, now, of_today=True) == date(2025, 11, 3)
    assert date_of_run("2025-11-03", seoul, now, of_today=True) == date(2025, 11, 3)
    with pytest.raises(InputError, match="2025-11-04 lies in the future"):
        date_of_run("2025-11-04", seoul, now, of_today=True)


def test_the_time_zone_of_a_run_is_the_setting(run, monkeypatch):
    monkeypatch.setenv("THETALINE_TIME_ZONE", "Asia/Seoul")
    seen = []
    run(lambda context: seen.append(context.calendar.zone.key) or {})
    assert seen == ["Asia/Seoul"]


def test_a_zone_that_is_none_exits_2_with_the_rule(run, monkeypatch):
    monkeypatch.setenv("THETALINE_TIME_ZONE", "Asia/Soul")
    code, summary, _ = run(add_a_question)
    assert (code, summary["status"]) == (2, "bad_input")
    assert "THETALINE_TIME_ZONE is 'Asia/Soul'; it must be an IANA time zone, for example" in summary["error"]


@pytest.mark.parametrize("text", ["2999-01-01", "02.11.2025", "2025-13-01", "yesterday", ""])
def test_a_date_that_is_none_or_lies_ahead_exits_2(run, text):
    code, summary, _ = run(add_a_question, date=text)
    assert (code, summary["status"]) == (2, "bad_input")
    assert text in summary["error"]


def test_a_wrong_setting_exits_2_with_the_rule(run, monkeypatch):
    monkeypatch.setenv("MIRT_LOOKBACK_DAYS", "0")
    code, summary, _ = run(add_a_question)
    assert (code, summary["status"]) == (2, "bad_input")
    assert "MIRT_LOOKBACK_DAYS is '0'; it must be a whole number" in summary["error"]


def test_an_unreachable_database_exits_1_without_its_password(run, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/x")
    code, summary, told = run(add_a_question)
    assert code == 1
    assert "DATABASE_URL" in summary["error"]
    assert "hunter2" not in told + summary["error"]


def test_a_database_without_the_schema_says_what_to_run(run, monkeypatch, empty_database):
    monkeypatch.setenv("DATABASE_URL", empty_database)
    code, summary, _ = run(add_a_question)
    assert code == 1
    assert "thetaline db migrate" in summary["error"]


def test_the_summary_is_json_whatever_the_work_returns(run):
    _, summary, _ = run(lambda _: {"n": np.int64(3), "x": [np.float64("nan"), float("inf")], "on": date(2025, 1, 2)})
    assert (summary["n"], summary["x"], summary["on"]) == (3, [None, None], "2025-01-02")


SLOW_JOB = """
import sys
from thetaline.jobs import runner

def work(context):
    context.conn.execute("insert into question (content) values ('half-way')")
    print("begun", flush=True)
    context.conn.execute("select pg_sleep(60)")
    return {}

sys.exit(runner.run_job("slow", work))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_job_that_is_stopped_rolls_back_and_exits_130(database, number):
    environment = {**os.environ, "DATABASE_URL": database}
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_JOB], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as job:
        assert job.stdout.readline() == "begun\n"
        sleeping = "select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
        wait_until(lambda: rows(database, sleeping) != [])
        job.send_signal(number)
        out, err = job.communicate()
    assert job.returncode == 130
    assert json.loads(out)["status"] == "interrupted"
    assert err.startswith("stopped: ")
    assert "Traceback" not in err
    assert questions(database) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gestern", "--since 'gestern' is no date; write it as YYYY-MM-DD"),
        ("2025-11-03", "--since 2025-11-03 lies after the last day of the range, 2025-11-02"),
    ],
)
def test_a_range_that_starts_with_no_date_or_after_its_end_is_told_by_its_own_option(text, says):
    with pytest.raises(InputError, match=says):
        parse_since(text, last=date(2025, 11, 2))
    assert parse_since("2025-11-02", last=date(2025, 11, 2)) == date(2025, 11, 2)


def test_a_role_that_may_not_read_is_told_in_one_line_by_jobs_and_by_other_commands(run, database, capsys):
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("revoke all on schema_migration from current_user")
        code, summary, told = run(add_a_question)
        assert (code, summary["status"]) == (1, "failed")
        assert "the role lacks a grant" in summary["error"]
        assert told.count("\n") == 1
        owner.execute("grant all on schema_migration to current_user")
        owner.execute("revoke all on run from current_user")
    assert cli.main(["runs"]) == 1
    told = capsys.readouterr().err
    assert "permission denied for table run; the role lacks a grant" in told
    assert told.count("\n") == 1
