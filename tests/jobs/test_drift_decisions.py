"""What a person decides of a drifted item."""

import json
from datetime import timedelta

import pytest
from drifts import (
    LONG_AGO,
    TOMORROW,
    YESTERDAY,
    alerts,
    calibrated,
    check,
    estimated,
    moved,
    resolutions,
    tag,
    truth,
)
from learners import TODAY, Connection
from typer.testing import CliRunner

from thetaline.cli.drift import app
from thetaline.db.migrations.files import FOLDER
from thetaline.jobs.command_line import run_app


def resolve(url: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("DATABASE_URL", url)
    return run_app(app, ["resolve", *arguments], "thetaline drift")


def test_the_command_lists_and_resolves(conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4), 2), TODAY)
    run = CliRunner()
    assert run.invoke(app, []).stdout == "no item was tested yet: no check has run\n"
    check(conn, database)
    assert f"30 of 30 items were tested by the newest check (of {TODAY})" in run.invoke(app, []).stdout
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


def test_how_grave_a_change_is_goes_by_the_change_of_the_mean_score(conn: Connection, database: str) -> None:
    exact = {item: {"a": 0.02, "b": 0.02} for item in truth()}
    calibrated(conn, "fit-1", truth(), LONG_AGO, se=exact)
    steps = {1: 0.15, 2: -0.15, 3: 0.3, 4: -0.3, 5: 0.9, 6: -0.9}
    there = {item: {**one, "b": one["b"] + steps.get(item, 0.0)} for item, one in truth().items()}
    calibrated(conn, "fit-2", there, TODAY, se=exact)
    check(conn, database)
    found = {item: (severity, abs(statistics["effect"])) for item, (severity, *_, statistics) in alerts(conn).items()}
    assert found.keys() == {str(item) for item in steps}
    for severity, effect in found.values():
        assert severity == ("critical" if effect >= 0.10 else "warning" if effect >= 0.05 else "info")
    assert {severity for severity, _ in found.values()} == {"critical", "warning", "info"}


def test_alerts_are_listed_the_newest_check_first_and_within_it_the_gravest(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    found = [
        (1, YESTERDAY, "critical", 0.3),
        (2, TODAY, "warning", 0.08),
        (3, TODAY, "info", -0.2),
        (4, TODAY, "warning", -0.09),
        (5, TODAY, "critical", 0.1),
    ]
    for item, day, severity, effect in found:
        conn.execute(
            "insert into drift_alert (run_id, item_no, is_anchor, severity, statistics, created_at)"
            " select 'fit-1', item_no, false, %s, cast(%s as jsonb), %s from item where item_id = %s",
            (severity, json.dumps({"effect": effect}), day, str(item)),
        )
    conn.commit()
    listed = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)
    assert [alert["item_id"] for alert in listed] == ["5", "4", "2", "3", "1"]


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
    conn.execute((FOLDER / "0006_drift_decisions.sql").read_text(encoding="utf-8"))
    assert {item: who for item, (who, _) in resolutions(conn).items()} == {"4": "person", "5": "job", "6": "job"}
    assert set(alerts(conn, "resolved_by is null")) == {"7"}
    tested = conn.execute("select item_id, run_id, as_of from newest_drift_test join item using (item_no)").fetchall()
    assert sorted(tested) == [(item, run_id, TODAY) for item in "4567"]


def test_an_alert_is_resolved_by_the_code_that_its_item_was_imported_under(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    both = {**truth(), **{item: {**truth()[item], "b": truth()[item]["b"] + 1.0} for item in (4, 9)}}
    calibrated(conn, "fit-2", estimated(both, 2), TODAY)
    check(conn, database)
    for item, code in ((4, "geom-059"), (9, "4")):  # an id comes before a code
        conn.execute(
            """insert into question (id, meta) values (%s, jsonb_build_object('external_id', cast(%s as text)))
            on conflict (id) do update set meta = excluded.meta""",
            (item, code),
        )
    conn.commit()
    assert resolve(database, monkeypatch, "geom-059", "--reason", "reworded") == 0
    assert alerts(conn, "resolution = 'reworded'").keys() == {"4"}
    assert resolve(database, monkeypatch, "4", "--reason", "the code of 9") == 0
    assert alerts(conn, "resolution = 'the code of 9'").keys() == {"9"}
    assert resolve(database, monkeypatch, "geom-059", "--reason", "twice") == 2
