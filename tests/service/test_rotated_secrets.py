"""A secret whose file is replaced reaches the running service without a restart."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
from serving import INTERNAL, Running, running, wait_until

from thetaline.service import app

NEW = "another-internal-token"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at so often that a test need not wait for it."""
    monkeypatch.setattr(app, "REFRESH_SECS", 0.05)


@pytest.fixture
def token_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(INTERNAL)
    monkeypatch.setenv("R_IRT_INTERNAL_TOKEN_FILE", str(path))
    return path


def replace(path: Path, value: str) -> None:
    """As the kubelet does it, at once."""
    new = path.with_suffix(".new")
    new.write_text(value)
    new.replace(path)


def status(service: Running, token: str) -> int:
    with service.client(token=token) as client:
        return client.get("/openapi.json").status_code


@pytest.fixture
def service(database: str, token_file: Path) -> Iterator[Running]:
    with running(database) as one:
        yield one


def test_a_rotated_internal_token_opens_and_the_one_before_does_not(service: Running, token_file: Path) -> None:
    assert (status(service, INTERNAL), status(service, NEW)) == (200, 401)
    replace(token_file, f"{NEW}\n")
    wait_until(lambda: status(service, NEW) == 200)
    assert status(service, INTERNAL) == 401


def test_a_file_that_vanishes_leaves_the_token_in_force(
    service: Running, token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token_file.unlink()
    wait_until(lambda: "the internal token stays as it was" in caplog.text)
    assert status(service, INTERNAL) == 200


def test_new_connections_take_the_url_that_the_file_has_now(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    database: str,
    new_database: Callable[[], AbstractContextManager[str]],
) -> None:
    url_file = tmp_path / "url"
    url_file.write_text(database)
    monkeypatch.setenv("DATABASE_URL_FILE", str(url_file))
    with new_database() as other, running(database) as service, psycopg.connect(other, autocommit=True) as conn:
        replace(url_file, other)

        def connected() -> int:
            with service.client() as client:
                client.get("/readyz")
            (n,) = conn.execute(
                "select count(*) from pg_stat_activity where application_name = 'thetaline serve'"
                " and datname = current_database()"
            ).fetchone() or (0,)
            return int(n)

        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'thetaline serve'"
                " and datname = current_database()"
            )
        wait_until(lambda: connected() > 0)
