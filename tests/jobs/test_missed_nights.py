"""Nights that an outage has swallowed are made up by the next one; runs that began too early do not count."""

import datetime as dt
import json

import psycopg
import pytest
from learners import NOW, TODAY, Connection, context
from nights import LATER, ORDER, night, states, write_school

from thetaline.errors import DatabaseError
from thetaline.jobs.anchors import tagging
from thetaline.jobs.anchors.selection import AnchorCriteria
from thetaline.jobs.nightly import main as nightly_main
from thetaline.jobs.nightly.missed import MissedNights, missed_nights
from thetaline.learning.school_calendar import UTC_DAYS

DAY = dt.timedelta(days=1)
FIRST = TODAY - 4 * DAY


def three_in_the_morning(after: dt.date) -> dt.datetime:
    return dt.datetime.combine(after + DAY, dt.time(3), dt.UTC)


def record(conn: Connection, day: dt.date, *, state: str = "done", jobs: list[str] = ORDER, started=None) -> None:
    """Runs of a night in the ledger."""
    at = started or three_in_the_morning(day)
    for job in jobs:
        of_job = (
            {"mirt_calibrate": "published", "snapshot_theta": "published"}.get(job, "done")
            if state == "done"
            else state
        )
        conn.execute(
            "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
            " values (%s, %s, %s, %s, %s, %s, 'test', 1)",
            (f"{job}-{day}-{at:%d%H}", job, day, of_job, at, at),
        )
    conn.commit()


def missed(conn: Connection, before: dt.date = TODAY) -> MissedNights:
    return missed_nights(conn, UTC_DAYS, before=before, jobs=ORDER)


def tag(conn: Connection, database: str) -> None:
    """Make the published items anchors."""
    conn.execute("insert into question (id) select cast(item_id as bigint) from item")
    criteria = AnchorCriteria(count=20, min_answers=20, a_min=0.2, a_max=4.0, max_move=1.0)
    tagging.tag_work(context(conn, database, "tag_anchor_items"), criteria=criteria)


@pytest.fixture
def linked_school(conn: Connection, database: str) -> None:
    """A complete night four days ago, with anchors for those to come."""
    write_school(conn)
    night(conn, database, three_in_the_morning(FIRST), as_of=FIRST)
    tag(conn, database)


@pytest.mark.usefixtures("linked_school")
def test_an_outage_of_three_days_is_made_up_before_the_night(conn: Connection, database: str) -> None:
    found = night(conn, database, catch_up=True)
    days = [str(FIRST + number * DAY) for number in (1, 2, 3, 4)]
    assert [one["date"] for one in found["nights"]] == days
    assert [states(one) for one in found["nights"]] == [["done"] * 5] * 4
    snapshots = conn.execute(
        "select as_of::text from run where job = 'snapshot_theta' and as_of > %s order by 1", [FIRST]
    )
    assert [day for (day,) in snapshots] == days
    assert states(night(conn, database, LATER, catch_up=True)) == ["already_done"] * 5


@pytest.mark.usefixtures("linked_school")
def test_a_made_up_night_that_fails_does_not_stop_the_later_ones_and_is_told(conn: Connection, database: str) -> None:
    blocked = str(FIRST + 2 * DAY)
    conn.execute(f"alter table run add constraint no_snapshot check (job <> 'snapshot_theta' or as_of <> '{blocked}')")
    conn.commit()
    with pytest.raises(DatabaseError, match="no_snapshot") as told:
        night(conn, database, catch_up=True)
    nights = {one["date"]: states(one) for one in vars(told.value)["partial_summary"]["nights"]}
    assert nights.pop(blocked) == ["done", "done", "failed", "blocked", "blocked"]
    assert list(nights.values()) == [["done"] * 5] * 3


def test_nothing_is_missed_before_the_first_complete_night_or_right_after_one(conn: Connection) -> None:
    assert missed(conn) == MissedNights()
    record(conn, TODAY - 9 * DAY, jobs=ORDER[:-1])
    assert missed(conn) == MissedNights()
    record(conn, TODAY - DAY)
    assert missed(conn) == MissedNights()
    record(conn, TODAY)
    assert missed(conn) == MissedNights()


def test_of_a_long_outage_the_last_seven_nights_are_made_up_and_the_others_named(conn: Connection) -> None:
    record(conn, TODAY - 12 * DAY)
    found = missed(conn)
    assert found.to_make_up == tuple(TODAY - back * DAY for back in (7, 6, 5, 4, 3, 2, 1))
    assert found.left_out == tuple(TODAY - back * DAY for back in (11, 10, 9, 8))


def test_a_night_that_broke_off_is_missed(conn: Connection) -> None:
    record(conn, TODAY - 3 * DAY)
    record(conn, TODAY - 2 * DAY, jobs=ORDER[:2])
    record(conn, TODAY - 2 * DAY, jobs=ORDER[2:3], state="failed")
    assert missed(conn).to_make_up == (TODAY - 2 * DAY, TODAY - DAY)


def test_a_held_night_waits_for_a_person(conn: Connection) -> None:
    record(conn, TODAY - 3 * DAY)
    record(conn, TODAY - 2 * DAY, jobs=["mirt_calibrate"], state="held")
    assert missed(conn).to_make_up == (TODAY - DAY,)
    conn.execute("update run set state = 'published' where state = 'held'")
    assert missed(conn).to_make_up == (TODAY - 2 * DAY, TODAY - DAY)


def test_a_night_that_began_before_its_day_was_over_is_no_complete_one(conn: Connection) -> None:
    record(conn, TODAY - 5 * DAY)
    record(conn, TODAY - 3 * DAY, started=three_in_the_morning(TODAY - 4 * DAY))
    assert missed(conn).to_make_up[0] == TODAY - 4 * DAY


def test_what_ran_for_a_day_that_had_hardly_begun_is_made_again(conn: Connection, database: str) -> None:
    write_school(conn)
    early = dt.datetime.combine(TODAY, dt.time(4), dt.UTC)
    night(conn, database, early)
    tag(conn, database)
    assert states(night(conn, database, NOW)) == ["done"] * 5
    assert states(night(conn, database, LATER)) == ["already_done"] * 5


def test_the_command_without_a_date_makes_up_what_is_missed(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday = UTC_DAYS.last_day_over(dt.datetime.now(dt.UTC))
    record(conn, yesterday - 10 * DAY)
    monkeypatch.setenv("DATABASE_URL", database)
    code = nightly_main([])  # no answers: every night fails, and each is tried
    summary = json.loads(capsys.readouterr().out)
    assert code == 2
    assert [one["date"] for one in summary["nights"]] == [str(yesterday - back * DAY) for back in range(7, -1, -1)]
    assert summary["nights_left_out"] == [str(yesterday - back * DAY) for back in (9, 8)]
    with psycopg.connect(database) as other:
        assert other.execute("select count(*) from run where job = 'nightly'").fetchone() == (8,)
