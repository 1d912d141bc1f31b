"""A database that is locked, frozen, away or back again, and what the service says meanwhile."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from serving import ITEM, on_database, running, wait_until, waiting_for_a_lock

from thetaline.db.connection import KEEPALIVE
from thetaline.errors import DatabaseError
from thetaline.service import database as database_module, services, tokens
from thetaline.service.database import CONNECTIONS, Database
from thetaline.service.routes import operation

SCORE = {"item_params": [ITEM], "responses": [[1]]}
AWAY = "postgresql://nobody:hunter2@127.0.0.1:9/none"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests wait for in vain ends soon; a connection may still take a moment on a busy machine."""
    monkeypatch.setattr(database_module, "WAIT_SECS", 2.0)
    monkeypatch.setattr(database_module, "RECONNECT_SECS", 0.2)
    monkeypatch.setattr(operation, "STATE_SECS", 0.5)
    monkeypatch.setattr(services, "SCRAPE_SECS", 0.5)
    monkeypatch.setattr(tokens, "LOOK_SECS", 0.5)


def test_without_its_database_the_service_scores_and_says_what_it_cannot() -> None:
    with running(AWAY) as service, service.client() as client:
        assert client.post("/irt/score", json=SCORE).status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
        read = client.get("/v1/runs")
        assert (read.status_code, read.json()["error"]) == (503, "the database is not available")
        assert "retry-after" in read.headers
        assert "hunter2" not in ready.text + read.text


def test_an_unmigrated_database_is_not_ready(empty_database: str) -> None:
    with running(empty_database) as service, service.client() as client:
        wait_until(lambda: "thetaline db migrate" in client.get("/readyz").json()["migrations"])
        assert client.get("/readyz").status_code == 503
        assert client.get("/v1/runs").status_code == 503


def _ready(client: httpx.Client) -> int:
    """The status of /readyz."""
    return client.get("/readyz").status_code


def test_while_every_connection_waits_for_a_lock_the_others_are_told_so_and_all_goes_on_after_it(
    database: str,
) -> None:
    with running(database) as service, service.client() as client, ThreadPoolExecutor(CONNECTIONS + 2) as threads:
        with psycopg.connect(database) as conn:
            conn.execute("lock table run, api_token in access exclusive mode")
            waiting = [threads.submit(client.get, "/v1/runs") for _ in range(CONNECTIONS + 2)]
            wait_until(lambda: waiting_for_a_lock(database) >= CONNECTIONS)
            assert _ready(client) == 503
            wait_until(lambda: sum(one.done() for one in waiting) == 2)
            assert "thetaline_fits_waiting 0.0" in client.get("/metrics").text
            assert client.get("/v1/runs", headers={"authorization": "Bearer tl_0_x"}).status_code == 503
        assert sorted(one.result().status_code for one in waiting) == [200] * CONNECTIONS + [503] * 2
        wait_until(lambda: _ready(client) == 200)


@contextmanager
def frozen(database: str) -> Iterator[None]:
    """The server answers nothing to whoever is connected to this database, and lets nobody else in."""
    if "THETALINE_TEST_DATABASE_URL" in os.environ:
        pytest.skip("the server of THETALINE_TEST_DATABASE_URL is not the tests' own to be frozen")
    with psycopg.connect(database) as conn:
        asked = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        backends = [psutil.Process(row[0]) for row in conn.execute(asked)]
    stopped = [backends[0].parent(), *backends]
    try:
        for process in stopped:
            process.suspend()
        yield
    finally:
        for process in stopped:
            process.resume()


def test_a_frozen_database_is_not_ready_and_ready_again_when_it_goes_on(database: str) -> None:
    with running(database) as service, service.client() as client:
        with frozen(database):
            assert [_ready(client) for _ in range(3)] == [503] * 3
            assert client.post("/irt/score", json=SCORE).status_code == 200
        wait_until(lambda: _ready(client) == 200)


def test_a_database_that_was_away_for_long_is_found_at_once(database: str) -> None:
    sockets = str(conninfo_to_dict(database)["host"])
    if not sockets.startswith("/"):
        pytest.skip("the test's door is a socket, and THETALINE_TEST_DATABASE_URL names a server on the network")
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        door = Path(folder) / "door"
        url = database.replace(urlencode({"host": sockets}), urlencode({"host": str(door)}))
        with running(url) as service, service.client() as client:
            pool = service.services.database._pool
            # Four attempts in vain: left alone, the pool would pause for eight seconds before the next one.
            wait_until(lambda: _ready(client) == 503 and pool.get_stats().get("connections_errors", 0) >= 4)
            door.symlink_to(sockets)
            wait_until(lambda: _ready(client) == 200, secs=4)


def test_every_statement_and_every_silence_has_an_end_and_the_urls_own_options_hold(database: str) -> None:
    def seen(conn: psycopg.Connection[Any]) -> tuple[object, dict[str, str]]:
        asked = conn.execute("select current_setting('statement_timeout'), current_setting('work_mem')").fetchone()
        return asked, conn.info.get_parameters()

    settings, parameters = on_database(f"{database}&options=-c%20work_mem%3D5MB", lambda it: it.run(seen))
    assert settings == ("30s", "5MB")
    asked = {**KEEPALIVE, "tcp_user_timeout": database_module.UNACKNOWLEDGED_MS}
    assert parameters.items() >= {name: str(value) for name, value in asked.items()}.items()


def test_a_statement_that_is_not_waited_for_any_longer_is_ended(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        with pytest.raises(psycopg.OperationalError):
            on_database(database, lambda it: it.run_within(0.5, lambda conn: conn.execute("select pg_sleep(30)")))
        query = "select 1 from pg_stat_activity where state = 'active' and query = 'select pg_sleep(30)'"
        wait_until(lambda: conn.execute(query).fetchone() is None, secs=20)


def test_a_call_ends_although_its_server_answers_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "ANSWER_SECS", 0.3)
    with pytest.raises(psycopg.OperationalError, match=r"no answer in 0\.3 s"):
        on_database(database, lambda it: it.run(lambda _conn: time.sleep(1)))


def test_who_stops_waiting_is_cancelled_and_told_nothing_of_the_database(database: str) -> None:
    async def cancelled(opened: Database) -> bool:
        asked = asyncio.create_task(opened.run(lambda _conn: time.sleep(0.5)))
        await asyncio.sleep(0.1)
        asked.cancel()
        await asyncio.wait([asked])
        return asked.cancelled()

    assert on_database(database, cancelled)


def test_a_url_that_is_none_stops_the_start_without_its_password() -> None:
    with pytest.raises(DatabaseError, match="write DATABASE_URL as") as refused:
        Database("postgresql://somebody:hunter2%zz@here/x")
    assert "hunter2" not in str(refused.value)
