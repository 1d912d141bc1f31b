from datetime import timedelta

import pytest
from drifts import LONG_AGO, YESTERDAY, alerts, calibrated, check, estimated, moved, resolutions, tag, truth
from learners import NOW, TODAY, Connection

from thetaline.errors import JobError


def test_an_anchor_that_drifts_is_proposed_for_retirement_and_left_as_it_is(conn: Connection, database: str) -> None:
    params = truth()
    first = estimated(params, 1)
    calibrated(conn, "fit-1", first, LONG_AGO)
    for item in range(1, 11):
        tag(conn, item, first[item], "fit-1")
    both = {**params, 4: {**params[4], "b": params[4]["b"] + 1.0}, 25: {**params[25], "b": params[25]["b"] - 1.0}}
    calibrated(conn, "fit-2", estimated(both, 2), TODAY)
    metas = conn.execute("select id, meta from question order by id").fetchall()
    summary = check(conn, database)
    found = alerts(conn)
    assert set(found) == {"4", "25"}
    assert found["4"][:3] == ["critical", True, "retire as anchor"]
    assert found["25"][:3] == ["critical", False, "review the question"]
    assert found["4"][3]["effect"] < -0.1 < 0.1 < found["25"][3]["effect"]
    assert (summary["n_items"], summary["n_anchors"], summary["anchors_to_retire"]) == (30, 10, ["4"])
    assert conn.execute("select id, meta from question order by id").fetchall() == metas


def test_a_scale_that_moves_as_a_whole_is_no_drift_of_items(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(truth(), 2, slope=1.4, shift=-0.7), TODAY)
    summary = check(conn, database)
    assert summary["tested"]
    assert alerts(conn) == {}
    # θ_reference = A θ_new + B
    assert summary["scale_shift"]["A"] == pytest.approx(1 / 1.4, abs=0.06)
    assert summary["scale_shift"]["B"] == pytest.approx(0.5, abs=0.06)


def test_without_drift_an_item_alarms_at_most_at_the_stated_rate(conn: Connection, database: str) -> None:
    """Adjusted p-values hold the share of runs with any alarm near 5 %."""
    params = truth(20)
    with_alarm = 0
    for run in range(40):
        conn.execute("truncate run, item, drift_alert cascade")
        calibrated(conn, "fit-1", estimated(params, 100 + run), LONG_AGO)
        calibrated(conn, "fit-2", estimated(params, 900 + run), TODAY)
        with_alarm += bool(sum(check(conn, database, dry_run=True)["alerts"].values()))
    assert with_alarm <= 6  # 5 % of 40 is 2; 7 or more has probability below 0.01


def test_a_held_calibration_is_looked_at_too(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4), 2), TODAY, state="held")
    assert check(conn, database)["recent_run"] == "fit-2"
    assert set(alerts(conn)) == {"4"}


def test_an_item_has_one_open_alert_and_a_newer_run_closes_what_no_longer_holds(
    conn: Connection, database: str
) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4, 5), 2), YESTERDAY)
    check(conn, database, as_of=YESTERDAY)
    calibrated(conn, "fit-3", estimated(moved(4), 3), TODAY)
    newest = check(conn, database, now=NOW + timedelta(days=1))["run_id"]
    assert set(alerts(conn)) == {"4"}
    assert resolutions(conn) == {"4": ("job", f"replaced by {newest}"), "5": ("job", f"drifts no more in {newest}")}


def test_a_reference_whose_window_overlaps_or_of_another_model_is_not_compared(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), TODAY - timedelta(days=29))
    calibrated(conn, "fit-2", estimated(truth(), 2), TODAY)
    assert (check(conn, database)["n_items"], check(conn, database)["tested"]) == (0, False)
    conn.execute("update item_param set as_of = %s, model = 'Rasch' where run_id = 'fit-1'", (LONG_AGO,))
    assert check(conn, database)["n_items"] == 0


def test_an_anchor_frozen_from_the_recent_run_itself_is_not_compared(conn: Connection, database: str) -> None:
    recent = estimated(truth(), 2)
    calibrated(conn, "fit-2", recent, TODAY)
    for item in range(1, 11):
        tag(conn, item, recent[item], "fit-2")
    assert check(conn, database)["n_anchors"] == 0


def test_a_dry_run_tells_and_writes_no_alert(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4), 2), TODAY)
    assert check(conn, database, dry_run=True)["alerts"] == {"info": 0, "warning": 0, "critical": 1}
    assert alerts(conn, "true") == {}


def test_without_a_calibration_the_job_says_what_to_do(conn: Connection, database: str) -> None:
    with pytest.raises(JobError, match=r"no calibration up to 2025-11-02 is stored; run `thetaline calibrate` first"):
        check(conn, database)


@pytest.mark.parametrize("why", ["too few items", "an item without b", "no standard errors of the item"])
def test_an_alert_stays_open_while_its_item_cannot_be_tested(conn: Connection, database: str, why: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4), 2), YESTERDAY)
    check(conn, database, as_of=YESTERDAY)
    params = estimated(truth(), 3)
    if why == "too few items":
        params = {item: params[item] for item in (3, 4, 5)}
    if why == "an item without b":
        del params[9]["b"]
    calibrated(conn, "fit-3", params, TODAY, se={4: {}} if why.startswith("no standard") else None)
    summary = check(conn, database)
    assert summary["tested"] == why.startswith("no standard")
    assert set(alerts(conn)) == {"4"}
    assert summary["n_tested"] == (29 if summary["tested"] else 0)


def test_a_check_of_a_past_date_leaves_the_alerts_of_a_later_one_open(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(truth(), 2), YESTERDAY)
    calibrated(conn, "fit-3", estimated(moved(4), 3), TODAY)
    check(conn, database)
    check(conn, database, as_of=YESTERDAY)
    assert (set(alerts(conn)), resolutions(conn)) == ({"4"}, {})


def test_a_check_of_a_past_date_opens_no_alert_of_an_item_that_a_later_one_has_tested(
    conn: Connection, database: str
) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4, 5), 2), YESTERDAY)
    later = estimated(truth(), 3)
    del later[5]
    calibrated(conn, "fit-3", later, TODAY)
    check(conn, database)
    for _ in range(2):  # the check of yesterday itself does not make today's older
        summary = check(conn, database, as_of=YESTERDAY)
        assert set(alerts(conn)) == {"5"}
        assert (sum(summary["alerts"].values()), summary["not_alerted"]) == (1, {"accepted": 0, "tested_later": 1})


def test_a_second_check_of_the_same_date_replaces_the_first(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4), 2), TODAY)
    check(conn, database)
    second = check(conn, database)
    assert (set(alerts(conn)), second["alerts"]["critical"]) == ({"4"}, 1)
    assert resolutions(conn) == {"4": ("job", f"replaced by {second['run_id']}")}
