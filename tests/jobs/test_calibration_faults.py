"""Bad input and broken surroundings: a clear message, the right exit code, the tables as they were."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from school import Calibrate, rows, school, set_anchors, sheet, snapshot, states, true_anchors, write

from thetaline import db
from waiting import wait_until, waits_for_a_lock

SCHOOL = school(n_items=30, n_users=150)
AT = datetime(2025, 10, 20, tzinfo=UTC)
DAY = "2025-11-02"
MODULE = "thetaline.jobs.mirt_calibrate"


@pytest.fixture
def taught(database: str) -> str:
    write(database, SCHOOL.sit(date(2025, 10, 20), items_each=20, seed=1))
    set_anchors(database, true_anchors(SCHOOL, range(0, 30, 2)))
    return database


def answered(
    items: list[str], verdict: Callable[[int, int], object], n_users: int = 60
) -> list[tuple[str, datetime, Any]]:
    """`verdict(user, position of the item)` of every user on every item."""
    return [(f"u{n}", AT, sheet([(item, verdict(n, i)) for i, item in enumerate(items)])) for n in range(n_users)]


ITEMS = [str(item) for item in range(101, 111)]


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([], "no answered attempts from 2025-10-04 to 2025-11-02; import answers"),
        (answered(["101"], lambda n, _: n % 2 == 0), "1 items and 60 learners are left to calibrate"),
        (answered(ITEMS, lambda _n, _i: True), "left out: nobody answered it wrongly: 10 items"),
        (answered(ITEMS, lambda _n, _i: False), "left out: nobody answered it correctly: 10 items"),
        (answered(ITEMS, lambda _, i: i % 2 == 0, n_users=1), "left out: fewer than 30 answers: 10 items"),
        (answered(ITEMS, lambda n, i: (n + i) % 2 == 0, n_users=29), "left out: fewer than 30 answers: 10 items"),
        (answered(ITEMS, lambda _n, _i: None), "no answered attempts"),
        (answered(ITEMS, lambda n, _: ["yes", -1, 1e300, [], {}][n % 5]), "no answered attempts"),
    ],
    ids=["empty", "one item", "all right", "all wrong", "one learner", "too few", "unanswered", "no verdicts"],
)
def test_a_window_with_nothing_to_calibrate_is_bad_input(
    database: str, calibrate: Calibrate, results: list[tuple[str, datetime, Any]], said: str
) -> None:
    write(database, results)
    before = snapshot(database)
    ended = calibrate("--date", DAY)
    assert (ended.code, ended.summary["status"]) == (2, "bad_input")
    assert said in ended.summary["error"]
    assert snapshot(database) == before
    assert rows(database, "select state, error like '%%' || %s || '%%' from run", said) == [("failed", True)]


def test_an_item_that_nobody_got_right_leaves_the_others_alone(taught: str, calibrate: Calibrate) -> None:
    write(taught, [(user, AT, sheet([("999", False)])) for user in SCHOOL.user_ids])
    ended = calibrate("--date", DAY)
    assert (ended.code, ended.summary["excluded_items"]) == (0, {"nobody answered it correctly": 1})


def test_contradictory_duplicates_are_counted_and_the_first_counts(taught: str, calibrate: Calibrate) -> None:
    write(
        taught,
        [(user, AT, sheet([("998", n % 2 == 0), ("998", n % 2 == 1)])) for n, user in enumerate(SCHOOL.user_ids)],
    )
    ended = calibrate("--date", DAY)
    assert ended.code == 0
    left_out = next(line for line in ended.log if line["event"] == "answers left out")
    assert (left_out["n_repeats"], left_out["n_contradictory"]) == (150, 150)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("MIRT_MODEL", "5PL", "one of Rasch, 1PL, 2PL, 3PL, 4PL"),
        ("MIRT_MODEL", "GRM", "one of Rasch, 1PL, 2PL, 3PL, 4PL"),
        ("MIRT_LOOKBACK_DAYS", "0", "a whole number, at least 1, at most 3650"),
        ("MIRT_MAX_OBS", "-1", "a whole number, at least 0"),
        ("MIRT_MIN_ITEM_ANSWERS", "none", "a whole number, at least 1"),
        ("MIRT_GATE_MAX_RMSD", "nan", "a number, above 0, at most 100"),
        ("DATABASE_URL", "mysql://localhost/x", "a URL postgresql://"),
    ],
)
def test_a_setting_out_of_its_rule_stops_the_start(
    taught: str, calibrate: Calibrate, name: str, value: str, rule: str
) -> None:
    ended = calibrate("--date", DAY, **{name: value})
    assert (ended.code, ended.summary["status"]) == (2, "bad_input")
    assert f"{name} is '{value}'; it must be {rule}" in ended.summary["error"]
    assert states(taught) == []


def test_an_irt_service_that_does_not_answer_fails_the_night_and_is_not_passed_over(
    taught: str, calibrate: Calibrate
) -> None:
    ended = calibrate("--date", DAY, R_IRT_BASE_URL="http://127.0.0.1:9", MIRT_MAX_RETRIES="0")
    assert (ended.code, ended.summary["status"]) == (1, "failed")
    assert "POST http://127.0.0.1:9 got no answer" in ended.summary["error"]
    assert states(taught) == ["failed"]


def test_an_unreachable_database_is_said_without_its_password(calibrate: Calibrate) -> None:
    ended = calibrate("--date", DAY, DATABASE_URL="postgresql://ann:hunter2@127.0.0.1:9/x")
    assert (ended.code, ended.summary["status"]) == (1, "failed")
    assert "refused" in ended.summary["error"]
    assert "check that the server runs" in ended.summary["error"]
    assert "hunter2" not in ended.stderr + json.dumps(ended.summary)


def test_a_wrong_password_is_said_without_it(own_server: tuple[Path, str], calibrate: Calibrate) -> None:
    root, url = own_server
    rules = next(root.rglob("pg_hba.conf"))
    rules.write_text("local postgres all scram-sha-256\n" + rules.read_text())
    server = db.embedded.status(root).pid
    assert server
    os.kill(server, signal.SIGHUP)
    parts = urlsplit(url)
    wrong = parts._replace(netloc=parts.netloc.replace("@", ":hunter2@"), path="/postgres")
    ended = calibrate("--date", DAY, DATABASE_URL=urlunsplit(wrong))
    assert (ended.code, ended.summary["status"]) == (1, "failed")
    assert 'password authentication failed for user "thetaline"' in ended.summary["error"]
    assert "check the user and the password in DATABASE_URL" in ended.summary["error"]
    assert "hunter2" not in ended.stderr + json.dumps(ended.summary)


def test_a_missing_database_is_said(database: str, calibrate: Calibrate) -> None:
    parts = urlsplit(database)
    ended = calibrate("--date", DAY, DATABASE_URL=urlunsplit(parts._replace(path="/nowhere")))
    assert ended.code == 1
    assert 'database "nowhere" does not exist' in ended.summary["error"]


def test_a_database_without_our_schema_is_sent_to_migrate(empty_database: str, calibrate: Calibrate) -> None:
    ended = calibrate("--date", DAY, DATABASE_URL=empty_database)
    assert ended.code == 1
    assert "run `thetaline db migrate`" in ended.summary["error"]


@pytest.mark.parametrize("table", ["answer", "item_param", "ability", "gate_result", "calibration", "question"])
def test_a_missing_table_is_said_and_nothing_is_half_written(taught: str, calibrate: Calibrate, table: str) -> None:
    with psycopg.connect(taught) as conn:
        conn.execute(f"drop table {table} cascade")
    ended = calibrate("--date", DAY)
    assert (ended.code, ended.summary["status"]) == (1, "failed")
    assert "does not exist" in ended.summary["error"]
    assert states(taught) == ["failed"]
    left = {"calibration", "item_param", "ability", "gate_result"} - {table}
    assert [rows(taught, f"select count(*) from {one}")[0][0] for one in left] == [0] * len(left)


@pytest.mark.parametrize("table", ["item_param", "ability", "gate_result"])
def test_a_full_disk_in_the_middle_of_publishing_leaves_the_last_night_current(
    taught: str, calibrate: Calibrate, table: str
) -> None:
    calibrate("--date", "2025-11-01")
    before = snapshot(taught)
    with psycopg.connect(taught) as conn:
        conn.execute(
            "create function fill() returns trigger language plpgsql as"
            " $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$"
        )
        conn.execute(f"create trigger full_disk after insert on {table} for each statement execute function fill()")
    ended = calibrate("--date", DAY)
    assert (ended.code, ended.summary["status"]) == (1, "failed")
    assert "No space left on device" in ended.summary["error"]
    assert "free disk space on the server" in ended.summary["error"]
    assert snapshot(taught) == before
    assert states(taught) == ["published", "failed"]


def started(url: str, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    """The job as a process of its own, which hears Ctrl-C even where these tests run in the background."""
    environment = {**os.environ, "DATABASE_URL": url, **settings}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a signal that is ignored here would be ignored there
    return subprocess.Popen(
        [sys.executable, "-m", MODULE, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(url: str, state: str, process: "subprocess.Popen[str]") -> None:
    """Wait for a run in that state, as long as the process lives."""

    def happened() -> bool:
        lives = process.poll() is None
        if state in states(url):
            return True
        assert lives, process.communicate()
        return False

    wait_until(happened)


@pytest.fixture
def locked_items(taught: str) -> Iterator[str]:
    """A school whose item_param is locked by somebody, so that a night stops in the middle of its transaction."""
    with psycopg.connect(taught) as other:
        other.execute("lock table item_param in share mode")
        yield taught
        other.rollback()


@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_stop_in_the_middle_of_publishing_rolls_back_and_is_recorded(
    locked_items: str, number: int, word: str
) -> None:
    process = started(locked_items, "--date", DAY)
    blocked = waits_for_a_lock(locked_items)
    wait_until(lambda: process.poll() is not None or blocked())
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 130
    assert f"stopped by {word}; what was under way is rolled back" in err
    assert json.loads(out)["status"] == "interrupted"
    assert states(locked_items) == ["failed"]
    assert rows(locked_items, "select count(*) from calibration") == [(0,)]
