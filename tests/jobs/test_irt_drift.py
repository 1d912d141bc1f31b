import json
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from learners import NOW, TODAY, Connection, connected, context
from typer.testing import CliRunner

from thetaline import irt
from thetaline.cli.drift import app
from thetaline.db.migrations.runner import FOLDER
from thetaline.errors import JobError
from thetaline.jobs import irt_drift
from thetaline.jobs.drift_comparison import Comparison, ItemRow, compare
from thetaline.jobs.entry import run_app

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


def calibrated(
    conn: Connection,
    run_id: str,
    params: Params,
    as_of: date,
    *,
    state: str = "published",
    model: str = "2PL",
    se: Mapping[int, Mapping[str, float]] | None = None,
) -> None:
    """A stored calibration; `se` are the standard errors of items that have others than SE."""
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
            " select %s, item_no, %s, %s, cast(%s as jsonb) from item where item_id = %s",
            (run_id, as_of, model, json.dumps({**values, "se": (se or {}).get(item, SE)}), str(item)),
        )
    conn.commit()


def tag(conn: Connection, item: int, values: Mapping[str, float], run_id: str | None) -> None:
    meta = {"irt": {**values, "model": "2PL", "version": 1, "run_id": run_id}, "tags": ["anchor"]}
    conn.execute(
        "insert into question (id, meta) values (%s, cast(%s as jsonb))"
        " on conflict (id) do update set meta = excluded.meta",
        (item, json.dumps(meta)),
    )
    conn.commit()


def check(conn: Connection, database: str, **options: Any) -> dict[str, Any]:
    summary = irt_drift.work(context(conn, database, "irt_drift", **options))
    conn.commit()
    return dict(summary)


def alerts(conn: Connection, where: str = "resolved_at is null") -> dict[str, tuple[Any, ...]]:
    columns = "item_id, severity, is_anchor, proposal, statistics"
    query = f"select {columns} from drift_alert join item using (item_no) where {where}"
    return {item: rest for item, *rest in conn.execute(query)}


def moved(*items: int, by: float = 1.0) -> Params:
    """The truth with the b of these items moved."""
    return {item: {**one, "b": one["b"] + by * (item in items)} for item, one in truth().items()}


def resolutions(conn: Connection) -> dict[str, tuple[str, str]]:
    columns = "item_id, resolved_by, resolution"
    query = f"select {columns} from drift_alert join item using (item_no) where resolved_at is not null"
    return {item: (who, what) for item, who, what in conn.execute(query)}


LONG_AGO = TODAY - timedelta(days=70)
YESTERDAY = TODAY - timedelta(days=1)
TOMORROW = TODAY + timedelta(days=1)


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


def test_the_command_lists_and_resolves(conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4), 2), TODAY)
    run = CliRunner()
    assert "no item has drifted" in run.invoke(app, []).stdout
    check(conn, database)
    conn.execute(
        """insert into question (id, meta) values (4, '{"external_id": "geom-059"}')
        on conflict (id) do update set meta = excluded.meta"""
    )
    conn.commit()
    listed = run.invoke(app, []).stdout
    assert "critical  item 4 (geom-059)" in listed
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
    first = estimated(truth(), 1)
    calibrated(conn, "fit-1", first, LONG_AGO)
    for item in (3, 4):
        tag(conn, item, first[item], "fit-1")
    calibrated(conn, "fit-2", estimated(moved(4), 2), TODAY)
    check(conn, database)
    assert CliRunner().invoke(app, ["resolve", "4", "--retire", "--reason", "leaked"]).exit_code == 0
    tags = dict(conn.execute("select id, meta -> 'tags' from question").fetchall())
    assert tags == {3: ["anchor"], 4: []}
    assert conn.execute("select (meta -> 'irt' ->> 'b')::float8 from question where id = 4").fetchone() == (
        first[4]["b"],
    )


def test_a_person_cannot_retire_what_is_no_anchor(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = estimated(truth(), 1)
    calibrated(conn, "fit-1", first, LONG_AGO)
    tag(conn, 4, first[4], "fit-1")
    calibrated(conn, "fit-2", estimated(moved(4, 25), 2), TODAY)
    check(conn, database)
    metas = conn.execute("select id, meta from question").fetchall()
    assert resolve(database, monkeypatch, "25", "--retire", "--reason", "leaked") == 2
    assert "item '25' is no anchor" in capsys.readouterr().err
    assert set(alerts(conn)) == {"4", "25"}
    assert conn.execute("select id, meta from question").fetchall() == metas


def resolve(url: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("DATABASE_URL", url)
    return run_app(app, ["resolve", *arguments], "thetaline drift")


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


def test_an_item_whose_test_has_no_p_does_not_count_as_tested() -> None:
    comparison = compared(5)
    found = compare(comparison)
    found = replace(found, p=np.where(found.ids == 2, np.nan, found.p))
    assert irt_drift.Findings(comparison, found, [], [], []).tested == [1, 3, 4, 5]


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


def test_items_without_standard_errors_are_left_out_and_named(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    without = {7: {}, 8: {"a": 0.1}, 9: {"b": 0.1}, 10: {"a": 0.1, "b": 0.0}, 11: {}, 12: {}}
    calibrated(conn, "fit-2", estimated(moved(4, 8), 2), TODAY, se=without)
    summary = check(conn, database)
    assert summary["without_errors"] == {"count": 6, "items": ["7", "8", "9", "10", "11"]}
    assert (summary["n_items"], summary["n_tested"], set(alerts(conn))) == (24, 24, {"4"})


def test_a_calibration_without_any_standard_errors_is_no_fault(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4), 2), TODAY, se={item: {} for item in truth()})
    summary = check(conn, database)
    assert (summary["tested"], summary["n_items"], summary["without_errors"]["count"]) == (False, 0, 30)


def test_a_slope_that_all_items_share_needs_no_standard_error(conn: Connection, database: str) -> None:
    def rasch(params: Params, seed: int) -> Params:
        return {item: {"a": 1.0, "b": one["b"]} for item, one in estimated(params, seed).items()}

    of_b = {item: {"b": SE["b"]} for item in truth()}
    calibrated(conn, "fit-1", rasch(truth(), 1), LONG_AGO, model="Rasch", se=of_b)
    calibrated(conn, "fit-2", rasch(moved(4), 2), TODAY, model="Rasch", se=of_b)
    assert (check(conn, database)["n_tested"], set(alerts(conn))) == (30, {"4"})


def test_a_reference_without_all_its_standard_errors_is_as_exact_as_the_recent_estimate() -> None:
    whole, lacking = compared(10), compared(10)
    half = {number: replace(row, se={"a": 0.001}) for number, row in lacking.reference.items()}
    np.testing.assert_array_equal(compare(replace(lacking, reference=half)).p, compare(whole).p)


def compared(n_items: int) -> Comparison:
    """Two calibrations with the same standard errors."""
    sides = [
        {item: ItemRow("2PL", params, SE, "fit") for item, params in estimated(truth(n_items), seed).items()}
        for seed in (1, 2)
    ]
    names = {item: str(item) for item in sides[0]}
    return Comparison("fit", sides[0], sides[1], names, frozenset(), ())


def test_standard_errors_give_what_their_diagonal_matrix_gives() -> None:
    """Also in another order, of more or fewer items than are compared, and with more or fewer thresholds."""
    rng = np.random.default_rng(6)
    b = np.sort(rng.normal(size=(8, 2)), axis=1)
    b[3:, 1] = np.nan
    old = irt.Items(ids=list(range(8)), model=["GRM"] * 3 + ["2PL"] * 5, a=rng.uniform(0.5, 2, 8), b=b)
    new = old.replaced(a=old.a + 0.05 * rng.normal(size=8), b=old.b + 0.05 * rng.normal(size=(8, 2)))
    se = old.replaced(a=np.array([0.1, np.nan, *[0.1] * 6]), b=np.where(np.isfinite(b), 0.1, np.inf))
    short = new.take(range(3, 8)).replaced(b=new.b[3:, 0].copy())
    shuffled, some, narrow = se.take([5, 3, 2, 1, 0, 7, 6, 4]), se.take([0, 1, 2, 4]), se.replaced(b=se.b[:, :1])
    for items, errors in ((new, shuffled), (new, some), (new, narrow), (short, se.take(range(3, 8)))):
        diagonal = irt.ItemCovariance.from_errors(errors)
        ours, theirs = (
            irt.drift(new=items, reference=short if items is short else old, new_covariance=c, reference_covariance=c)
            for c in (errors, diagonal)
        )
        np.testing.assert_allclose(ours.p, theirs.p, rtol=1e-9)
        np.testing.assert_allclose(ours.se.covariance, theirs.se.covariance, rtol=1e-9)


def test_memory_grows_with_the_items_and_not_with_their_square() -> None:
    """A matrix of all parameters by all takes 800 MB at 5,000 items."""
    compare(compared(10))  # what is imported on the way does not count
    comparison = compared(5000)
    tracemalloc.start()
    try:
        compare(comparison)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6


def test_what_a_person_resolved_is_not_opened_again(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4, 5), 2), TODAY)
    check(conn, database)
    assert resolve(database, monkeypatch, "4", "--reason", "accepted") == 0
    assert resolutions(conn) == {"4": ("person", "accepted")}
    calibrated(conn, "fit-3", estimated(moved(4, 5, 6), 3), TOMORROW)
    summary = check(conn, database, as_of=TOMORROW)
    assert set(alerts(conn)) == {"5", "6"}
    assert (sum(summary["alerts"].values()), summary["not_alerted"]) == (2, {"accepted": 1, "tested_later": 0})


def test_a_change_graver_than_what_was_accepted_is_opened_until_it_is_no_graver(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4, by=0.4), 2), YESTERDAY)
    check(conn, database, as_of=YESTERDAY)
    assert alerts(conn)["4"][0] == "warning"
    resolve(database, monkeypatch, "4", "--reason", "accepted")
    calibrated(conn, "fit-3", estimated(moved(4), 3), TODAY)
    check(conn, database)
    assert alerts(conn)["4"][0] == "critical"
    calibrated(conn, "fit-4", estimated(moved(4, by=0.4), 2), TOMORROW)
    third = check(conn, database, as_of=TOMORROW)["run_id"]
    assert alerts(conn) == {}
    assert alerts(conn, f"resolved_by = 'job' and resolution = 'no graver than accepted in {third}'").keys() == {"4"}


@pytest.mark.parametrize("run_id", ["fit-2", None])
def test_a_decision_holds_for_the_reference_that_it_was_made_on(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch, run_id: str | None
) -> None:
    first = estimated(truth(), 1)
    calibrated(conn, "fit-1", first, LONG_AGO)
    tag(conn, 4, first[4], run_id and "fit-1")
    calibrated(conn, "fit-2", estimated(truth(), 2), LONG_AGO + timedelta(days=1))
    calibrated(conn, "fit-3", estimated(moved(4), 3), TODAY)
    check(conn, database)
    resolve(database, monkeypatch, "4", "--reason", "accepted")
    check(conn, database)
    assert alerts(conn) == {}
    tag(conn, 4, {**first[4], "b": first[4]["b"] + 0.01}, run_id)
    check(conn, database)
    assert set(alerts(conn)) == {"4"}


def test_what_the_job_closed_by_itself_is_no_decision(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    for number, (day, params) in enumerate([(YESTERDAY, moved(4)), (TODAY, truth()), (TOMORROW, moved(4))], start=2):
        calibrated(conn, f"fit-{number}", estimated(params, number), day)
        check(conn, database, as_of=day)
        assert set(alerts(conn)) == ({"4"} if day != TODAY else set())


def test_the_migration_tells_persons_decisions_from_what_the_job_had_closed(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4, 5, 6, 7), 2), TODAY)
    run_id = check(conn, database)["run_id"]
    conn.execute("drop table newest_drift_test")
    conn.execute("alter table drift_alert drop column resolved_by")
    said = {"4": "reworded", "5": "drifts no more in irt_drift-2025-11-03", "6": "replaced by irt_drift-2025-11-03"}
    for item, resolution in said.items():
        query = (
            "update drift_alert set resolved_at = now(), resolution = %s from item"
            " where item.item_no = drift_alert.item_no and item_id = %s"
        )
        conn.execute(query, (resolution, item))
    conn.execute((FOLDER / "sql" / "0006_drift_decisions.sql").read_text(encoding="utf-8"))
    assert {item: who for item, (who, _) in resolutions(conn).items()} == {"4": "person", "5": "job", "6": "job"}
    assert set(alerts(conn, "resolved_by is null")) == {"7"}
    tested = conn.execute("select item_id, run_id, as_of from newest_drift_test join item using (item_no)").fetchall()
    assert sorted(tested) == [(item, run_id, TODAY) for item in "4567"]
