import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from learners import NOW, TODAY, Connection, connected, context
from typer.testing import CliRunner

from thetaline.cli.drift import app
from thetaline.errors import JobError
from thetaline.jobs import irt_drift

SE = {"a": 0.08, "b": 0.06}
Params = dict[int, dict[str, float]]


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connected(database) as conn:
        yield conn


def truth(n_items: int = 30) -> Params:
    rng = np.random.default_rng(3)
    return {i + 1: {"a": float(rng.lognormal(0.1, 0.25)), "b": float(rng.normal())} for i in range(n_items)}


def estimated(params: Params, seed: int, *, slope: float = 1.0, shift: float = 0.0) -> Params:
    """With the error of a calibration, on a scale where θ' = slope θ + shift."""
    rng = np.random.default_rng(seed)
    return {
        item: {
            "a": (one["a"] + float(rng.normal(0, SE["a"]))) / slope,
            "b": slope * (one["b"] + float(rng.normal(0, SE["b"]))) + shift,
        }
        for item, one in params.items()
    }


def calibrated(conn: Connection, run_id: str, params: Params, as_of: date, *, state: str = "published") -> None:
    conn.execute(
        "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
        " values (%s, 'mirt_calibrate', %s, %s, %s, %s, 'test', 1)",
        (run_id, as_of, state, NOW, NOW),
    )
    conn.execute("insert into calibration (run_id, model_spec) values (%s, '{}')", (run_id,))
    for item, values in params.items():
        conn.execute("insert into item (item_id) values (%s) on conflict do nothing", (str(item),))
        conn.execute(
            "insert into item_param (run_id, item_no, as_of, model, params)"
            " select %s, item_no, %s, '2PL', cast(%s as jsonb) from item where item_id = %s",
            (run_id, as_of, json.dumps({**values, "se": SE}), str(item)),
        )
    conn.commit()


def tag(conn: Connection, item: int, values: Mapping[str, float], run_id: str) -> None:
    meta = {"irt": {**values, "model": "2PL", "version": 1, "run_id": run_id}, "tags": ["anchor"]}
    conn.execute("insert into question (id, meta) values (%s, cast(%s as jsonb))", (item, json.dumps(meta)))
    conn.commit()


def check(conn: Connection, database: str, **options: Any) -> dict[str, Any]:
    summary = irt_drift.work(context(conn, database, "irt_drift", **options))
    conn.commit()
    return dict(summary)


def alerts(conn: Connection, where: str = "resolved_at is null") -> dict[str, tuple[Any, ...]]:
    columns = "item_id, severity, is_anchor, proposal, statistics"
    query = f"select {columns} from drift_alert join item using (item_no) where {where}"
    return {item: rest for item, *rest in conn.execute(query)}


LONG_AGO = TODAY - timedelta(days=70)


def test_an_anchor_that_drifts_is_proposed_for_retirement_and_left_as_it_is(conn: Connection, database: str) -> None:
    params = truth()
    first = estimated(params, 1)
    calibrated(conn, "fit-1", first, LONG_AGO)
    for item in range(1, 11):
        tag(conn, item, first[item], "fit-1")
    moved = {**params, 4: {**params[4], "b": params[4]["b"] + 1.0}, 25: {**params[25], "b": params[25]["b"] - 1.0}}
    calibrated(conn, "fit-2", estimated(moved, 2), TODAY)
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
    moved = truth()
    moved[4]["b"] += 1.0
    calibrated(conn, "fit-2", estimated(moved, 2), TODAY, state="held")
    assert check(conn, database)["recent_run"] == "fit-2"
    assert set(alerts(conn)) == {"4"}


def test_an_item_has_one_open_alert_and_a_newer_run_closes_what_no_longer_holds(
    conn: Connection, database: str
) -> None:
    moved = truth()
    moved[4]["b"] += 1.0
    moved[5]["b"] += 1.0
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved, 2), TODAY - timedelta(days=1))
    check(conn, database, as_of=TODAY - timedelta(days=1))
    back = {**moved, 5: truth()[5]}
    calibrated(conn, "fit-3", estimated(back, 3), TODAY)
    newest = check(conn, database, now=NOW + timedelta(days=1))["run_id"]
    assert set(alerts(conn)) == {"4"}
    closed = dict(
        conn.execute(
            "select item_id, resolution from drift_alert join item using (item_no) where resolved_at is not null"
        ).fetchall()
    )
    assert closed == {"4": f"replaced by {newest}", "5": f"drifts no more in {newest}"}


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
    moved = truth()
    moved[4]["b"] += 1.0
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved, 2), TODAY)
    assert check(conn, database, dry_run=True)["alerts"] == {"info": 0, "warning": 0, "critical": 1}
    assert alerts(conn, "true") == {}


def test_without_a_calibration_the_job_says_what_to_do(conn: Connection, database: str) -> None:
    with pytest.raises(JobError, match=r"no calibration up to 2025-11-02 is stored; run `thetaline calibrate` first"):
        check(conn, database)


def test_the_command_lists_and_resolves(conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    moved = truth()
    moved[4]["b"] += 1.0
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved, 2), TODAY)
    run = CliRunner()
    assert "no item has drifted" in run.invoke(app, []).stdout
    check(conn, database)
    listed = run.invoke(app, []).stdout
    assert "critical  item 4" in listed
    assert "review the question" in listed
    assert json.loads(run.invoke(app, ["list", "--json"]).stdout)[0]["item_id"] == "4"
    assert run.invoke(app, ["resolve", "4", "--reason", "reworded"]).exit_code == 0
    assert alerts(conn, "resolution = 'reworded'").keys() == {"4"}
    again = run.invoke(app, ["resolve", "4", "--reason", "twice"])
    assert "item '4' has no open alert" in str(again.exception)


def test_a_person_retires_an_anchor_and_its_reference_stays_on_record(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    first, moved = estimated(truth(), 1), truth()
    moved[4]["b"] += 1.0
    calibrated(conn, "fit-1", first, LONG_AGO)
    for item in (3, 4):
        tag(conn, item, first[item], "fit-1")
    calibrated(conn, "fit-2", estimated(moved, 2), TODAY)
    check(conn, database)
    assert CliRunner().invoke(app, ["resolve", "4", "--retire", "--reason", "leaked"]).exit_code == 0
    tags = dict(conn.execute("select id, meta -> 'tags' from question").fetchall())
    assert tags == {3: ["anchor"], 4: []}
    assert conn.execute("select (meta -> 'irt' ->> 'b')::float8 from question where id = 4").fetchone() == (
        first[4]["b"],
    )
