"""The drift check over weeks of answers: what changed and since when, what is kept, what a decision ends."""

from datetime import date, timedelta

import numpy as np
import pytest
from drifts import LONG_AGO, Params, alerts, calibrated, check, tag, truth
from learners import NOW, TODAY, Answer, Connection, write_answers

from thetaline.cli.drift import app
from thetaline.jobs.command_line import run_app

N_ITEMS, N_LEARNERS, N_WEEKS = 12, 110, 5
CHANGED_FROM = 14  # days ago: the Monday of the last week but one
BEFORE_LAST_WEEK = TODAY - timedelta(days=7)


def bank() -> Params:
    return {item: one for item, one in truth().items() if item <= N_ITEMS}


def school(changes: dict[int, float], *, seed: int = 5) -> list[Answer]:
    """Each week other learners answer every item once; the b of some items changes in the last two weeks."""
    rng = np.random.default_rng(seed)
    params, answers = bank(), []
    for day in range(7 * N_WEEKS):
        for k in range(N_LEARNERS // 7):
            theta = rng.normal(0.3)
            for item, one in params.items():
                b = one["b"] + (changes.get(item, 0.0) if day < CHANGED_FROM else 0.0)
                right = bool(rng.random() < 1 / (1 + np.exp(-one["a"] * (theta - b))))
                answers.append(Answer(user=f"u{day}-{k}", item=item, correct=right, days_ago=day))
    return answers


@pytest.fixture
def changed(conn: Connection) -> Connection:
    """Item 4 got easier and item 7 harder than they were when they were published; 7 is an anchor."""
    calibrated(conn, "fit-1", bank(), LONG_AGO)
    tag(conn, 7, bank()[7], "fit-1")
    write_answers(conn, school({4: -1.2, 7: 1.2}))
    return conn


def stored(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute("select * from drift_score order by item_no, week").fetchall()


def test_an_item_that_changes_is_found_with_the_week_of_its_change(changed: Connection, database: str) -> None:
    summary = check(changed, database)
    found = alerts(changed)
    assert set(found) == {"4", "7"}
    assert list(found["4"][1:3]) == [False, "review the question"]
    assert list(found["7"][1:3]) == [True, "retire as anchor"]
    assert found["4"][3]["change_b"] < -0.7 < 0.7 < found["7"][3]["change_b"]
    assert found["4"][3]["effect"] > 0.1
    since = date.fromisoformat(found["4"][3]["since"])
    assert abs(since - (TODAY - timedelta(days=CHANGED_FROM - 1))) <= timedelta(days=7)
    assert (summary["n_tested"], summary["n_compared"], summary["tested"]) == (N_ITEMS, 0, False)
    assert summary["watched"]["n_items"] == N_ITEMS


def test_sound_items_raise_no_alert(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", bank(), LONG_AGO)
    write_answers(conn, school({}))
    assert check(conn, database)["watched"]["n_weeks"] == N_WEEKS
    assert alerts(conn) == {}


def test_a_second_check_of_the_night_scores_and_finds_the_same(changed: Connection, database: str) -> None:
    check(changed, database)
    rows, found = stored(changed), alerts(changed)
    check(changed, database)
    assert stored(changed) == rows
    assert alerts(changed) == found


def test_nights_one_by_one_store_what_one_check_stores(changed: Connection, database: str) -> None:
    for days in (12, 8, 5, 0):
        check(changed, database, as_of=TODAY - timedelta(days=days))
    rows = stored(changed)
    changed.execute("truncate drift_score")
    changed.commit()
    check(changed, database)
    assert stored(changed) == rows


def test_a_check_of_a_past_day_scores_nothing_and_sees_the_weeks_up_to_then(changed: Connection, database: str) -> None:
    check(changed, database)
    rows = stored(changed)
    assert check(changed, database, as_of=BEFORE_LAST_WEEK, dry_run=True)["watched"]["n_weeks"] == N_WEEKS - 1
    check(changed, database, as_of=BEFORE_LAST_WEEK)
    assert stored(changed) == rows


def test_a_dry_run_scores_no_week(changed: Connection, database: str) -> None:
    assert check(changed, database, dry_run=True)["watched"] is None
    assert stored(changed) == []


def test_a_decision_starts_the_watch_of_an_item_anew(
    changed: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    check(changed, database)
    assert run_app(app, ["resolve", "4", "--reason", "reworded"], "thetaline drift") == 0
    changed.execute("update drift_alert set resolved_at = %s where resolved_by = 'person'", (NOW,))
    changed.commit()
    assert check(changed, database)["watched"]["n_items"] == N_ITEMS - 1
    assert set(alerts(changed)) == {"7"}


def test_another_reference_starts_the_watch_of_an_item_anew(changed: Connection, database: str) -> None:
    check(changed, database)
    tag(changed, 7, {**bank()[7], "b": bank()[7]["b"] + 1.2}, None)
    summary = check(changed, database)
    assert summary["watched"]["n_items"] == N_ITEMS
    assert (summary["n_tested"], summary["n_alerts"], summary["anchors_to_retire"]) == (N_ITEMS - 1, 1, [])


def test_the_list_says_how_much_was_seen(
    changed: Connection, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    check(changed, database)
    assert run_app(app, [], "thetaline drift") == 0
    told = capsys.readouterr().out
    assert "since 2025-10-" in told
    assert f"{N_ITEMS} of {N_ITEMS} items were tested by the newest check (of {TODAY}); of changes of b by 0.9" in told
