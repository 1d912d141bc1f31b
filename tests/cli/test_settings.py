import pytest

from thetaline import irt, settings
from thetaline.errors import SettingsError

CONTRACT = {
    "DATABASE_URL": None,
    "R_IRT_BASE_URL": None,
    "R_IRT_INTERNAL_TOKEN": None,
    "R_IRT_TIMEOUT_SECS": 300,
    "MIRT_LOOKBACK_DAYS": 30,
    "MIRT_MODEL": "2PL",
    "MIRT_MAX_OBS": 0,
    "MIRT_MAX_RETRIES": 3,
    "MIRT_RETRY_DELAY_SECS": 0.5,
    "DRY_RUN": False,
    "AGG_LOOKBACK_DAYS": 7,
    "AGG_INCLUDE_THETA": True,
    "KPI_LOOKBACK_DAYS": 30,
    "METRICS_DEFAULT_TARGET": 0.0,
    "THETALINE_TIME_ZONE": "UTC",
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("name", "default"), CONTRACT.items())
def test_a_setting_of_the_contract_has_its_name_and_default(name, default):
    assert getattr(settings.load(), name.lower()) == default


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("MIRT_LOOKBACK_DAYS", "0", "a whole number, at least 1, at most 3650"),
        ("MIRT_LOOKBACK_DAYS", "seven", "a whole number, at least 1, at most 3650"),
        ("MIRT_LOOKBACK_DAYS", "7.5", "a whole number, at least 1, at most 3650"),
        ("MIRT_MODEL", "5PL", "one of Rasch, 1PL, 2PL, 3PL, 4PL"),
        ("MIRT_MAX_OBS", "-1", "a whole number, at least 0"),
        ("R_IRT_TIMEOUT_SECS", "0", "a number, above 0, at most 86400"),
        ("R_IRT_TIMEOUT_SECS", "inf", "a number, above 0, at most 86400"),
        ("METRICS_DEFAULT_TARGET", "nan", "a number, at least -6, at most 6"),
        ("DRY_RUN", "perhaps", "true or false"),
        ("THETALINE_TIME_ZONE", "Asia/Soul", "an IANA time zone, for example Asia/Seoul"),
        ("THETALINE_TIME_ZONE", "America", "an IANA time zone, for example Asia/Seoul"),
        ("THETALINE_TIME_ZONE", "../UTC", "an IANA time zone, for example Asia/Seoul"),
        ("R_IRT_BASE_URL", "irt.local", "a URL that starts with http:// or https://, or unset"),
        ("DATABASE_URL", "mysql://h/x", "a URL postgresql://user:password@host:port/database"),
    ],
)
def test_a_wrong_value_is_told_with_name_value_and_rule(monkeypatch, name, value, rule):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as told:
        settings.load()
    assert f"{name} is '{value}'; it must be {rule}" in str(told.value)


def test_all_wrong_values_are_told_at_once(monkeypatch):
    monkeypatch.setenv("MIRT_MODEL", "none")
    monkeypatch.setenv("MIRT_MAX_OBS", "-5")
    with pytest.raises(SettingsError, match=r"MIRT_MODEL is 'none'.*MIRT_MAX_OBS is '-5'"):
        settings.load()


def test_a_wrong_database_url_is_told_without_its_password(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://root:hunter2@db/x")
    with pytest.raises(SettingsError, match=r"mysql://root:\*\*\*@db/x") as told:
        settings.load()
    assert "hunter2" not in str(told.value)


def test_an_env_file_is_read_and_the_environment_wins(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("MIRT_LOOKBACK_DAYS=60\nMIRT_MODEL=3PL\nSOMEBODY_ELSES=1\n")
    monkeypatch.setenv("MIRT_MODEL", "Rasch")
    loaded = settings.load()
    assert (loaded.mirt_lookback_days, loaded.mirt_model) == (60, "Rasch")
    sources = {line.name: line.source for line in settings.describe(loaded)}
    assert sources["MIRT_LOOKBACK_DAYS"] == ".env"
    assert sources["MIRT_MODEL"] == "environment"
    assert sources["DRY_RUN"] == "default"


def test_an_env_file_in_another_encoding_is_told(tmp_path):
    (tmp_path / ".env").write_bytes(b"SERVICE_NAME=caf\xe9\n")
    with pytest.raises(SettingsError, match=r"\.env is not UTF-8"):
        settings.load()


def test_an_empty_variable_is_unset(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("MIRT_LOOKBACK_DAYS", "")
    loaded = settings.load()
    assert loaded.database_url is None
    assert loaded.mirt_lookback_days == 30


@pytest.mark.parametrize("model", [name for name, family in irt.FAMILIES.items() if not family.polytomous])
def test_a_model_of_right_and_wrong_answers_is_known_in_any_case(monkeypatch, model):
    monkeypatch.setenv("MIRT_MODEL", model.lower())
    assert settings.load().mirt_model == model


def test_a_model_of_more_categories_is_none_for_answers_that_are_right_or_wrong(monkeypatch):
    monkeypatch.setenv("MIRT_MODEL", "GRM")
    with pytest.raises(SettingsError, match="MIRT_MODEL is 'GRM'; it must be one of Rasch, 1PL"):
        settings.load()


def test_neither_repr_nor_the_list_of_settings_shows_a_secret(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:hunter2@db:5432/school")
    monkeypatch.setenv("R_IRT_INTERNAL_TOKEN", "tok-12345")
    loaded = settings.load()
    shown = f"{loaded!r} {loaded} {settings.describe(loaded)}"
    assert not [secret for secret in ("hunter2", "tok-12345") if secret in shown]
    assert "postgresql://app:***@db:5432/school" in shown


def test_every_setting_has_a_rule_and_a_description():
    assert [line.name for line in settings.describe(settings.load()) if not (line.rule and line.description)] == []


def test_an_override_wins_and_is_checked(monkeypatch):
    monkeypatch.setenv("MIRT_LOOKBACK_DAYS", "60")
    assert settings.load(mirt_lookback_days=14).mirt_lookback_days == 14
    with pytest.raises(SettingsError, match="MIRT_LOOKBACK_DAYS is 0"):
        settings.load(mirt_lookback_days=0)


def test_the_data_folder_follows_the_users_choice(monkeypatch, tmp_path):
    monkeypatch.setenv("THETALINE_DATA_DIR", str(tmp_path / "mine"))
    assert settings.load().database_folder == tmp_path / "mine" / "postgres"
