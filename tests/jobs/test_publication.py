"""Which calibration is current after a night: held, published, locked out, made up later."""

from dataclasses import replace
from datetime import UTC, date, datetime

from school import Calibrate, current, rows, school, set_anchors, sheet, snapshot, states, true_anchors, write

from thetaline import db
from thetaline.db.ledger import open_run
from thetaline.jobs.calibration.publication import current_run

SCHOOL = school()
FIRST, SECOND = "2025-11-02", "2025-11-03"


def test_a_second_night_without_anchors_is_held_and_the_first_stays_current(taught: str, calibrate: Calibrate) -> None:
    first = calibrate("--date", FIRST).summary["run_id"]
    before = snapshot(taught)
    ended = calibrate("--date", SECOND)
    assert (ended.code, ended.summary["status"]) == (1, "held")
    assert f"nothing ties this scale to that of {first}; run `thetaline tag`" in ended.summary["error"]
    assert f"{first} stays current" in ended.summary["error"]
    assert ended.events[-1] == "held"
    assert states(taught) == ["published", "held"]
    assert current(taught) == {first}
    after = snapshot(taught)
    assert (after["mirt_item_params"], after["mirt_ability"]) == (before["mirt_item_params"], before["mirt_ability"])
    assert len(after["item_param"]) == 2 * len(before["item_param"])


def test_a_held_night_runs_again_without_being_asked(taught: str, calibrate: Calibrate) -> None:
    calibrate("--date", FIRST)
    calibrate("--date", SECOND)
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    assert calibrate("--date", SECOND).summary["status"] == "done"
    assert states(taught) == ["published", "held", "published"]


def test_a_school_that_falls_apart_is_warned_of(taught: str, calibrate: Calibrate) -> None:
    other = school(n_items=12, n_users=60, seed=3)
    apart = replace(other, item_ids=[str(500 + i) for i in range(12)], user_ids=[f"w{n}" for n in range(60)])
    write(taught, apart.sit(date(2025, 10, 21), items_each=12, seed=4))
    ended = calibrate("--date", FIRST)
    assert (ended.code, ended.summary["connected_parts"]) == (0, 2)
    assert any(line["event"].startswith("learners and items fall apart") for line in ended.log)


def test_a_reversed_item_is_published_and_flagged(taught: str, calibrate: Calibrate) -> None:
    at = datetime(2025, 10, 20, tzinfo=UTC)
    able = SCHOOL.theta > 0
    write(
        taught,
        [(user, at, sheet([("999", not right)])) for user, right in zip(SCHOOL.user_ids, able.tolist(), strict=True)],
    )
    assert calibrate("--date", FIRST).code == 0
    flagged = rows(taught, "select metrics->'flagged_items'->0 from calibration")[0][0]
    assert flagged["item_id"] == "999"
    assert all(part in flagged["reason"] for part in ("runs backwards", "a below 0.35"))


def test_a_second_run_at_the_same_time_says_who_holds_the_lock(taught: str, calibrate: Calibrate) -> None:
    with open_run(taught, "mirt_calibrate", as_of=date(2025, 11, 1), now=datetime(2025, 11, 1, 4, tzinfo=UTC)) as other:
        ended = calibrate("--date", FIRST)
    assert (ended.code, ended.summary["status"]) == (1, "locked")
    assert f"mirt_calibrate is under way already: run {other.run_id}, process " in ended.summary["error"]
    assert states(taught) == ["done"]


def test_a_dry_run_needs_no_lock(taught: str, calibrate: Calibrate) -> None:
    with open_run(taught, "mirt_calibrate", as_of=date(2025, 11, 1), now=datetime(2025, 11, 1, 4, tzinfo=UTC)):
        assert calibrate("--date", FIRST, "--dry-run").code == 0


def test_an_older_date_made_up_later_does_not_become_current(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    newest = calibrate("--date", SECOND).summary["run_id"]
    assert calibrate("--date", FIRST).code == 0
    assert current(taught) == {newest}
    with db.connect(taught) as conn:
        assert current_run(conn) == newest


def test_versions_count_the_stored_calibrations_of_an_item(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    calibrate("--date", FIRST)
    write(
        taught,
        [
            (f"v{n}", datetime(2025, 11, 2, tzinfo=UTC), sheet([("777", n % 3 == 0), ("101", n % 2 == 0)]))
            for n in range(40)
        ],
    )
    calibrate("--date", SECOND)
    assert rows(taught, "select item_id, version from mirt_item_params where item_id in ('101', '777') order by 1") == [
        ("101", 2),
        ("777", 1),
    ]


def test_an_item_out_of_the_window_keeps_its_last_published_parameters(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    first = calibrate("--date", FIRST).summary["run_id"]
    write(taught, SCHOOL.sit(date(2025, 11, 25), items_each=40, seed=6))
    with db.connect(taught, autocommit=True) as conn:
        conn.execute(
            "delete from answer using item where answer.item_no = item.item_no"
            " and item_id = '140' and answered_at > '2025-11-20'"
        )
    second = calibrate("--date", "2025-11-26").summary["run_id"]
    assert dict(rows(taught, "select item_id, run_id from mirt_item_params where item_id in ('139', '140')")) == {
        "139": second,
        "140": first,
    }
