import json
from datetime import UTC, date, datetime
from importlib import metadata

import psycopg
import pytest

from thetaline.db import ledger
from thetaline.jobs.doctor import checks, main
from thetaline.settings import Settings


@pytest.fixture
def examine(monkeypatch, capsys, tmp_path):
    """Run `thetaline doctor --json`; returns the exit code and the findings by name."""
    monkeypatch.chdir(tmp_path)

    def examine_(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = main(["--json"])
        report = json.loads(capsys.readouterr().out)
        findings = {finding["name"]: finding for finding in report["findings"]}
        assert (code != 0) == (report["faults"] > 0)
        assert all(finding["advice"] for finding in findings.values() if finding["grade"] == "fault")
        return code, findings

    return examine_


def test_a_healthy_house_has_no_fault(examine, database):
    code, found = examine(DATABASE_URL=database)
    assert code == 0
    assert found["thetaline"]["found"] == metadata.version("thetaline")
    assert "numpy" in found["base"]["found"]
    assert found["server"]["found"].startswith("PostgreSQL")
    assert found["schema"]["grade"] == "ok"
    assert found["contents"]["found"] == "no answers yet"
    assert "thetaline import" in found["contents"]["advice"]


def test_the_report_for_people_names_every_part(monkeypatch, capsys, database):
    monkeypatch.setenv("DATABASE_URL", database)
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert "all is well" in shown
    assert all(part in shown for part in ("installation", "settings", "database"))


def test_an_unreachable_database_is_a_fault_and_its_password_stays_secret(examine):
    code, found = examine(DATABASE_URL="postgresql://app:hunter2@127.0.0.1:1/x")
    assert code == 1
    assert found["server"]["grade"] == "fault"
    assert "hunter2" not in json.dumps(found)


def test_a_database_without_the_schema_is_a_fault(examine, empty_database):
    code, found = examine(DATABASE_URL=empty_database)
    assert code == 1
    assert found["schema"]["advice"] == "thetaline db migrate"


def test_a_wrong_setting_is_a_fault_with_its_rule(examine):
    code, found = examine(MIRT_MODEL="5PL")
    assert code == 1
    assert "MIRT_MODEL is '5PL'; it must be one of" in found["environment"]["found"]


def test_settings_that_were_given_are_shown_with_their_source_and_without_secrets(examine, database):
    secret = "-".join(["tok", "12345"])
    _, found = examine(DATABASE_URL=database, MIRT_LOOKBACK_DAYS="14", R_IRT_INTERNAL_TOKEN=secret)
    assert (
        found["MIRT_LOOKBACK_DAYS"]["found"] == "14 (environment; default 30): days of answers in a calibration window"
    )
    assert found["R_IRT_INTERNAL_TOKEN"]["found"].startswith("***")
    assert secret not in json.dumps(found)
    assert "MIRT_MODEL" not in found


def test_every_setting_is_listed_on_demand(database, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database)
    assert main(["--json", "--settings"]) == 0
    names = {finding["name"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert {name.upper() for name in Settings.model_fields} <= names


def test_an_embedded_database_that_was_never_used_is_not_made(examine, monkeypatch, tmp_path):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    code, found = examine(THETALINE_DATA_DIR=str(tmp_path / "data"))
    assert code == 0
    assert found["data"]["grade"] == "note"
    assert not (tmp_path / "data").exists()


def test_a_full_disk_is_a_fault(monkeypatch, tmp_path):
    monkeypatch.setattr(checks, "LEAST_FREE_BYTES", 10**18)
    finding = checks.disk(tmp_path / "not" / "yet")
    assert finding.grade == "fault"
    assert "THETALINE_DATA_DIR" in finding.advice


def test_a_missing_package_of_the_pipeline_is_a_fault_and_of_another_extra_a_note(monkeypatch):
    needed = {"": {"numpy": ">=2"}, "pipeline": {"no-such-package": ">=1,<2"}, "plot": {"nor-this": ""}}
    monkeypatch.setattr(checks, "requirements", lambda _: needed)
    found = {finding.name: finding for finding in checks.installation()}
    assert found["pipeline"].grade == "fault"
    assert found["pipeline"].found == "missing: no-such-package>=1,<2"
    assert found["pipeline"].advice == "pip install 'thetaline[pipeline]'"
    assert found["plot"].grade == "note"
    assert found["base"].grade == "ok"


def test_the_requirements_are_those_of_the_package():
    needed = checks.requirements("thetaline")
    assert set(needed[""]) == {"numpy", "scipy", "threadpoolctl"}
    assert "psycopg" in needed["pipeline"]
    assert "all" not in needed


def test_a_run_under_way_is_a_note_with_its_holder_and_an_orphan_a_fault(examine, database):
    now = datetime(2025, 11, 2, 4, 15, tzinfo=UTC)
    with ledger.open_run(database, "mirt_calibrate", as_of=date(2025, 11, 2), now=now) as run:
        _, found = examine(DATABASE_URL=database)
        assert found["mirt_calibrate"]["grade"] == "note"
        assert run.run_id in found["mirt_calibrate"]["found"]
    with psycopg.connect(database) as conn:
        conn.execute("update run set state = 'running', finished_at = null")
    code, found = examine()
    assert code == 1
    assert found["mirt_calibrate"]["found"].startswith("orphaned: fit-2025-11-02T04:15:00Z")


def test_a_failed_run_is_shown_with_its_error(examine, database):
    with (
        pytest.raises(ValueError, match="too few"),
        ledger.open_run(database, "mirt_calibrate", as_of=date(2025, 11, 2), now=datetime(2025, 11, 2, tzinfo=UTC)),
    ):
        raise ValueError("too few answers")
    code, found = examine(DATABASE_URL=database)
    assert code == 0
    assert "failed (ValueError: too few answers)" in found["mirt_calibrate"]["found"]
    assert "thetaline runs show" in found["mirt_calibrate"]["advice"]
