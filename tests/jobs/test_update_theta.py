"""θ between the nights."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from learners import (
    NOW,
    TODAY,
    Answer,
    Connection,
    bank_params,
    connected,
    publish_items,
    write_answers,
)
from thetas import TOPICS, general, snapshot, taught, topics, update

from thetaline.errors import InputError
from thetaline.jobs.abilities import session_update
from thetaline.jobs.abilities.estimates import ItemsRetractedError
from thetaline.jobs.abilities.session_update import bank_fingerprint, load_scorer, update_user
from thetaline.jobs.calibration.publication import publish, retract
from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar
from waiting import wait_until, waits_for_a_lock


@pytest.fixture
def school(conn: Connection) -> dict[int, dict[str, float]]:
    return taught(conn)


def test_an_update_before_the_first_snapshot_of_new_items_agrees_with_that_snapshot(
    conn: Connection, database: str
) -> None:
    """The snapshot estimates a spread of topics that the update could not know."""
    rng = np.random.default_rng(17)
    params = bank_params(90, rng)
    topic_theta = {topic: dict.fromkeys(range(220), 0.0) for topic in TOPICS}
    for topic in TOPICS:
        write_answers(
            conn,
            [
                Answer(f"u{user:03d}", int(item), bool(rng.random() < 1 / (1 + np.exp(-shift))), topic=topic)
                for user in topic_theta[topic]
                for shift in [rng.normal(0, 1.5)]
                for item in rng.choice(np.arange(1, 91), 6, replace=False)
            ],
        )
    publish_items(conn, params)
    update(conn, "u003")
    summary = snapshot(conn, database, now=NOW + timedelta(hours=1))
    assert summary["topic_sd"] > 0.6
    online = {key: value for key, value in topics(conn).items() if key[0] == "u003"}
    snapshot(conn, database, now=NOW + timedelta(hours=2), everything=True)
    night = {key: value for key, value in topics(conn).items() if key[0] == "u003"}
    assert online.keys() == night.keys()
    for key, value in night.items():
        assert online[key] == pytest.approx(value, abs=1e-6)


def test_estimates_go_and_come_back_with_the_calibration_that_they_stand_on(
    conn: Connection, database: str, school: dict
) -> None:
    snapshot(conn, database)
    good = general(conn)
    publish_items(conn, {item: {**one, "b": one["b"] + 2} for item, one in school.items()}, run_id="fit-bad")
    conn.execute("update run set started_at = started_at + interval '1 hour' where run_id = 'fit-bad'")
    conn.execute("update item_param set fitted_at = fitted_at + interval '1 hour' where run_id = 'fit-bad'")
    snapshot(conn, database, now=NOW + timedelta(hours=2))
    write_answers(conn, [Answer("u03", 40, True, hour=15)])
    update(conn, "u03", NOW + timedelta(hours=3))
    bad = general(conn)
    assert all(bad[user][0] > good[user][0] + 0.5 for user in good)
    retract(conn, "fit-bad", reason="wrong", now=NOW)
    conn.commit()
    assert general(conn) == good
    publish(conn, "fit-bad", reason="right after all", now=NOW)
    conn.commit()
    assert general(conn) == bad
    with pytest.raises(InputError, match="is one of snapshot_theta; only a calibration"):
        retract(
            conn,
            conn.execute("select max(run_id) from run where job = 'snapshot_theta'").fetchone()[0],
            reason="x",
            now=NOW,
        )


def test_whoever_waited_for_the_lock_comes_last_though_its_clock_was_read_first(
    conn: Connection, database: str, school: dict
) -> None:
    write_answers(conn, [Answer("eve", 3, True, hour=15)])
    scorer = load_scorer(conn, TODAY, lookback_days=30, calendar=UTC_DAYS)
    update_user(conn, "eve", scorer, as_of=TODAY, now=NOW + timedelta(seconds=2))  # holds the learner's lock
    with connected(database) as other, ThreadPoolExecutor(1) as thread:
        late = thread.submit(update_user, other, "eve", scorer, as_of=TODAY, now=NOW + timedelta(seconds=1))
        wait_until(waits_for_a_lock(database))
        write_answers(conn, [Answer("eve", 6, True, hour=16)])  # commits
        newest = late.result()
        other.commit()
    assert (newest.is_new, newest.n_answers) == (True, 2)
    assert general(conn)["eve"] == (newest.theta, newest.se)


def test_an_update_while_the_night_reads_stays_the_newest(conn: Connection, database: str, school: dict) -> None:
    """The snapshot is stamped when it starts: an update after that has seen more."""
    write_answers(conn, [Answer("u03", item, True, hour=15) for item in range(1, 9)])
    newest = update(conn, "u03", NOW + timedelta(seconds=5))
    conn.execute("delete from exam_results where result_json::text like '%T15:00%'")  # as the night saw it
    conn.commit()
    snapshot(conn, database, now=NOW, everything=True)
    assert general(conn)["u03"] == (newest.theta, newest.se)


def test_an_update_after_a_session_agrees_with_the_night(conn: Connection, database: str, school: dict) -> None:
    snapshot(conn, database)
    write_answers(conn, [Answer("u03", item, True, hour=15, topic="logic") for item in range(1, 46, 7)])
    before = general(conn)["u03"]
    result = update(conn, "u03", NOW + timedelta(hours=1))
    online = general(conn)["u03"], {key: value for key, value in topics(conn).items() if key[0] == "u03"}
    assert (result.theta, result.se) == online[0] != before
    snapshot(conn, database, everything=True, now=NOW + timedelta(hours=2))
    assert conn.execute("select run_id from mirt_ability where user_id = 'u03'").fetchone()[0].startswith("snapshot")
    assert general(conn)["u03"] == pytest.approx(online[0], abs=1e-6)
    for key, value in online[1].items():
        assert topics(conn)[key] == pytest.approx(value, abs=1e-6)


def test_the_night_of_a_day_replaces_what_a_session_left_of_it(conn: Connection, database: str, school: dict) -> None:
    write_answers(conn, [Answer("u03", item, True, hour=13) for item in range(1, 9)])
    at_noon = update(conn, "u03", datetime(2025, 11, 2, 13, 5, tzinfo=UTC))  # the day is not over
    write_answers(conn, [Answer("u03", item, False, hour=20) for item in range(9, 17)])
    snapshot(conn, database, now=NOW)
    assert general(conn)["u03"][0] < (at_noon.theta or 0.0)
    theta_of_the_day = conn.execute(
        "select theta from ability_on((select learner_no from learner where user_id = 'u03'), %s)", [TODAY]
    )
    assert theta_of_the_day.fetchone() == (general(conn)["u03"][0],)


def test_an_update_by_hand_belongs_to_today_in_the_schools_zone(
    conn: Connection, database: str, school: dict, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kiritimati = SchoolCalendar(ZoneInfo("Pacific/Kiritimati"))  # fourteen hours ahead of UTC
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("THETALINE_TIME_ZONE", kiritimati.zone.key)
    before = kiritimati.day_of(datetime.now(UTC))
    assert session_update.main(["--user", "u03", "--dry-run"]) == 0
    today = date.fromisoformat(json.loads(capsys.readouterr().out)["date"])
    assert before <= today <= kiritimati.day_of(datetime.now(UTC))
    assert session_update.main(["--user", "u03", "--date", str(today + timedelta(days=1))]) == 2


def test_the_same_answers_twice_change_nothing(conn: Connection, database: str, school: dict) -> None:
    snapshot(conn, database)
    write_answers(conn, [Answer("u03", 2, True, hour=15)])
    assert not update(conn, "u01").is_new
    first = update(conn, "u03")
    rows = conn.execute("select count(*) from ability").fetchone()
    second = update(conn, "u03")
    assert (second.theta, second.is_new) == (first.theta, False)
    assert conn.execute("select count(*) from ability").fetchone() == rows
    assert snapshot(conn, database)["n_learners_written"] == 0


def test_a_corrected_answer_moves_theta_though_se_and_number_stay(conn: Connection, database: str) -> None:
    publish_items(conn, {1: {"a": 1.0, "b": 0.0}})
    write_answers(conn, [Answer("ada", 1, True)])
    up = update(conn, "ada")
    conn.execute("update exam_results set result_json = jsonb_set(result_json, '{questions,0,is_correct}', 'false')")
    down = update(conn, "ada", NOW + timedelta(minutes=1))
    assert down.theta == pytest.approx(-(up.theta or 0.0))
    assert down.is_new
    assert general(conn)["ada"] == (down.theta, down.se)


def test_updates_of_a_day_on_the_same_items_append_under_one_run_and_the_newest_is_current(
    conn: Connection, school: dict
) -> None:
    write_answers(conn, [Answer("ada", 1, True)])
    assert update(conn, "ada").is_new
    write_answers(conn, [Answer("ada", item, True, hour=15) for item in range(2, 9)])
    newest = update(conn, "ada", NOW + timedelta(minutes=5))
    assert conn.execute("select run_id, version from ability order by version").fetchall() == [
        ("update_theta-2025-11-02-fit-test", 1),
        ("update_theta-2025-11-02-fit-test", 2),
    ]
    assert general(conn)["ada"] == (newest.theta, newest.se)


def test_a_learner_without_a_scored_answer_has_no_theta(conn: Connection, school: dict) -> None:
    write_answers(conn, [Answer("new", 9999, True)])
    assert update(conn, "new") == session_update.ThetaUpdate(None, None, 0, {}, is_new=False, run_id=None)


def test_an_update_of_an_unknown_learner_is_refused(conn: Connection, school: dict) -> None:
    with pytest.raises(InputError, match="no answers of user 'nobody' are stored"):
        update(conn, "nobody")


def test_items_that_are_retracted_meanwhile_leave_no_estimate(conn: Connection, database: str, school: dict) -> None:
    write_answers(conn, [Answer("eve", 3, True)])
    scorer = load_scorer(conn, TODAY, lookback_days=30, calendar=UTC_DAYS)
    retract(conn, "fit-test", reason="wrong", now=NOW)
    conn.commit()
    with pytest.raises(ItemsRetractedError, match="fit-test was retracted while θ was estimated on it"):
        update_user(conn, "eve", scorer, as_of=TODAY, now=NOW)
    conn.rollback()
    assert conn.execute("select count(*) from ability").fetchone() == (0,)


def test_whoever_takes_items_back_waits_for_estimates_under_way_and_takes_those_too(
    conn: Connection, database: str, school: dict
) -> None:
    write_answers(conn, [Answer("eve", 3, True)])
    update_user(
        conn, "eve", load_scorer(conn, TODAY, lookback_days=30, calendar=UTC_DAYS), as_of=TODAY, now=NOW
    )  # not committed yet
    with connected(database) as other, ThreadPoolExecutor(1) as thread:
        late = thread.submit(retract, other, "fit-test", reason="wrong", now=NOW)
        wait_until(waits_for_a_lock(database))
        conn.commit()
        late.result()
        other.commit()
    assert general(conn) == {}
    assert conn.execute("select state from run where job = 'update_theta'").fetchall() == [("retracted",)]


def test_a_scorer_stands_on_every_published_run_not_only_the_newest(conn: Connection, school: dict) -> None:
    publish_items(conn, {99: {"a": 1.0, "b": 0.0}}, as_of=TODAY, run_id="fit-zz")
    before = bank_fingerprint(conn)
    retract(conn, "fit-test", reason="wrong", now=NOW)
    retracted = bank_fingerprint(conn)
    publish(conn, "fit-test", reason="right", now=NOW)
    assert before != retracted
    assert bank_fingerprint(conn) == before
