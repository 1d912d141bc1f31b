"""A secret may come as a file, whose path is NAME_FILE."""

import os

import pytest

from thetaline import settings
from thetaline.errors import SettingsError
from thetaline.settings.secret_files import SECRETS

URL = "postgresql://app:hunter2@db:5432/school"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def secret(monkeypatch, tmp_path):
    """Writes a file and sets NAME_FILE to its path."""

    def write(name: str, value: str | bytes) -> str:
        path = tmp_path / name.lower()
        path.write_bytes(value if isinstance(value, bytes) else value.encode())
        monkeypatch.setenv(f"{name}_FILE", str(path))
        return str(path)

    return write


def test_every_secret_of_the_settings_and_the_database_may_be_a_file():
    assert {"aws_secret_access_key", "aws_session_token", "database_url", "r_irt_internal_token"} == SECRETS


@pytest.mark.parametrize("name", sorted(name.upper() for name in SECRETS))
def test_a_secret_is_read_from_its_file_without_the_new_line_at_its_end(secret, name):
    secret(name, f"{URL}\n")
    loaded = getattr(settings.load(), name.lower())
    assert getattr(loaded, "get_secret_value", lambda: loaded)() == URL
    assert settings.misspelt() == {}


def test_the_list_of_settings_says_that_a_value_is_of_a_file_and_masks_it(secret):
    secret("DATABASE_URL", URL)
    secret("R_IRT_INTERNAL_TOKEN", "tok-12345")
    lines = {line.name: line for line in settings.describe(settings.load())}
    assert lines["DATABASE_URL"].source == lines["R_IRT_INTERNAL_TOKEN"].source == "file"
    assert not [word for word in ("hunter2", "tok-12345") if word in str(lines)]


def test_the_path_may_stand_in_the_env_file_and_the_environment_wins(secret, tmp_path):
    (tmp_path / "other").write_text("of the env file")
    (tmp_path / ".env").write_text(f"R_IRT_INTERNAL_TOKEN_FILE={tmp_path}/other\n")
    assert settings.load().r_irt_internal_token.get_secret_value() == "of the env file"
    secret("R_IRT_INTERNAL_TOKEN", "of the environment")
    assert settings.load().r_irt_internal_token.get_secret_value() == "of the environment"


def test_a_file_that_is_not_there_stops_the_start_with_its_variable_and_path(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL_FILE", f"{tmp_path}/absent")
    with pytest.raises(SettingsError, match=r"DATABASE_URL_FILE is .*/absent, which cannot be read: No such file"):
        settings.load()


def test_a_folder_is_no_file_of_a_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path))
    with pytest.raises(SettingsError, match=f"DATABASE_URL_FILE is {tmp_path}, which cannot be read: Is a directory"):
        settings.load()


def test_an_empty_file_stops_the_start(secret):
    path = secret("R_IRT_INTERNAL_TOKEN", "\n")
    with pytest.raises(SettingsError, match=f"R_IRT_INTERNAL_TOKEN_FILE is {path}, which is empty"):
        settings.load()


def test_a_file_that_is_no_text_stops_the_start(secret):
    secret("R_IRT_INTERNAL_TOKEN", b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"R_IRT_INTERNAL_TOKEN_FILE .*: it is not UTF-8 text"):
        settings.load()


def test_a_secret_that_is_given_twice_is_refused(monkeypatch, secret):
    secret("DATABASE_URL", URL)
    monkeypatch.setenv("DATABASE_URL", "postgresql://other/x")
    with pytest.raises(SettingsError, match=r"DATABASE_URL and DATABASE_URL_FILE \(.*\) are both set; unset one"):
        settings.load()


def test_a_wrong_value_of_a_file_is_told_without_its_password_beside_other_faults(monkeypatch, secret):
    secret("DATABASE_URL", "mysql://root:hunter2@db/x")
    monkeypatch.setenv("R_IRT_INTERNAL_TOKEN_FILE", "/absent")
    with pytest.raises(SettingsError, match=r"DATABASE_URL is 'mysql://root:\*\*\*@db/x'.*TOKEN_FILE is /absent"):
        settings.load()
