"""Names of variables: ours that do nothing are refused, nearly ours are named, other people's are their own."""

import json
import os

import pytest

from thetaline import cli, settings
from thetaline.errors import SettingsError
from thetaline.settings.names import UNHEEDED

OTHERS = [
    "AWS_REGION", "AWS_ACCESS_KEY_ID", "LOG_LEVEL", "HOME", "SECRET_KEY", "DATABASE_HOST", "DB_URL", "SERVICE_URL",
    "MIRT_HOME", "R_HOME", "THETALINE_SHARED", "THETALINE_TEST_DATABASE_URL", "KUBERNETES_SERVICE_HOST", "MIRT_PORT",
    "A_SERVICE_HOST", "MIRT_PORT_8000_TCP_ADDR", "METRICS_PORT", "S3_ENDPOINT",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MIRT_MODLE", "MIRT_MODEL"),
        ("MITR_MODEL", "MIRT_MODEL"),
        ("mirt_modl", "MIRT_MODEL"),
        ("MIRT_LOOKBACK", "MIRT_LOOKBACK_DAYS"),
        ("R_IRT_TIMEOUT", "R_IRT_TIMEOUT_SECS"),
        ("DATBASE_URL", "DATABASE_URL"),
        ("DRYRUN", "DRY_RUN"),
        ("SERVCE_PROT", "SERVICE_PORT"),
        ("AGG_INCLUDE_TETHA", "AGG_INCLUDE_THETA"),
    ],
)
def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(monkeypatch, name, meant):
    monkeypatch.setenv(name, "x")
    assert settings.misspelt() == {name.upper(): meant}
    settings.load()


def test_a_line_of_the_env_file_can_be_misspelt_too(tmp_path):
    (tmp_path / ".env").write_text("MIRT_MODLE=3PL\nMINE=1\n")
    assert settings.misspelt() == {"MIRT_MODLE": "MIRT_MODEL"}


def test_what_is_set_was_not_meant_by_another_name(monkeypatch):
    monkeypatch.setenv("DATABASE_URI", "x")
    assert settings.misspelt() == {"DATABASE_URI": "DATABASE_URL"}
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/x")
    assert settings.misspelt() == {}


def test_variables_of_others_are_left_alone(monkeypatch):
    for name in OTHERS:
        monkeypatch.setenv(name, "x")
    assert settings.misspelt() == {}
    settings.load()


def test_our_own_settings_are_not_misspelt_and_none_is_refused(monkeypatch):
    for line in settings.describe(settings.load()):
        if line.default != "unset":
            monkeypatch.setenv(line.name, line.default)
    assert settings.misspelt() == {}
    settings.load()
    assert UNHEEDED.isdisjoint(settings.Settings.model_fields)


@pytest.mark.parametrize("name", ["ALERT_WEBHOOK_URL", "THETALINE_SCHEMA", "mirt_source"])
def test_a_name_of_the_contract_that_does_nothing_yet_is_refused(monkeypatch, name):
    monkeypatch.setenv(name, "12")
    with pytest.raises(SettingsError, match=f"{name.upper()} does nothing in this version; unset it"):
        settings.load()
    assert settings.misspelt() == {}


def test_it_is_told_together_with_wrong_values_and_may_be_empty(monkeypatch):
    monkeypatch.setenv("ALERT_WEBHOOK_URL", "")
    settings.load()
    monkeypatch.setenv("ALERT_WEBHOOK_URL", "true")
    monkeypatch.setenv("MIRT_MAX_OBS", "-1")
    with pytest.raises(SettingsError, match=r"MIRT_MAX_OBS is '-1'.*ALERT_WEBHOOK_URL does nothing"):
        settings.load()


def test_an_override_that_is_no_setting_is_refused():
    with pytest.raises(SettingsError, match="MIRT_MODLE is no setting"):
        settings.load(mirt_modle="2PL")


def test_the_start_names_a_misspelt_setting_and_goes_on(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("THETALINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MIRT_MODLE", "3PL")
    assert cli.main(["db", "path"]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{tmp_path}/postgres\n"
    assert shown.err == "MIRT_MODLE is no setting; did you mean MIRT_MODEL?\n"


def test_the_doctor_names_a_misspelt_setting_and_one_that_does_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("THETALINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MIRT_MODLE", "3PL")
    assert cli.main(["doctor", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert (found["MIRT_MODLE"]["grade"], found["MIRT_MODLE"]["advice"]) == ("note", "did you mean MIRT_MODEL?")
    monkeypatch.setenv("THETALINE_SCHEMA", "12")
    assert cli.main(["doctor", "--json"]) == 1
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert "THETALINE_SCHEMA does nothing in this version" in found["environment"]["found"]


def test_an_env_file_in_another_encoding_stops_the_start_in_one_line(capsys, tmp_path):
    (tmp_path / ".env").write_bytes(b"SERVICE_NAME=caf\xe9\n")
    assert cli.main(["db", "path"]) == 2
    assert capsys.readouterr().err.startswith("error: .env is not UTF-8")
