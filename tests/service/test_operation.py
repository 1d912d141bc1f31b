"""The service as a process: logs, signals, a database that goes away, spans."""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
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
from serving import INTERNAL, ITEM, Running, observations, on_database, running, suspended, wait_until

from thetaline.db.connection import KEEPALIVE
from thetaline.errors import DatabaseError
from thetaline.service import database as database_module
from thetaline.service.database import CONNECTIONS, Database

SCORE = {"item_params": [ITEM], "responses": [[1]]}


def test_a_request_is_one_json_line_without_its_learner(service: Running, log: io.StringIO) -> None:
    with service.client() as client:
        client.get("/v1/learners/zoe/kpis", headers={"x-request-id": "r-1"})
    line = next(found for found in map(json.loads, log.getvalue().splitlines()) if found.get("request_id") == "r-1")
    assert (line["event"], line["method"], line["route"]) == ("request", "GET", "/v1/learners/{user_id}/kpis")
    assert (line["status"], line["client"], line["level"]) == (200, "internal", "info")
    assert line["ms"] > 0
    assert "zoe" not in log.getvalue()


def test_probes_are_not_logged(service: Running, log: io.StringIO) -> None:
    with service.client(token=None) as client:
        client.get("/healthz")
        client.get("/readyz")
    assert log.getvalue() == ""


def test_latencies_and_statuses_are_counted_by_route(service: Running) -> None:
    with service.client() as client:
        client.post("/v1/irt/score", json=SCORE)
        client.get("/nowhere")
        text = client.get("/metrics").text
    assert 'thetaline_requests_total{method="POST",route="/v1/irt/score",status="200"}' in text
    assert 'thetaline_requests_total{method="GET",route="unmatched",status="404"}' in text
    assert 'thetaline_request_seconds_bucket{le="0.05",route="/v1/irt/score"}' in text


def test_without_its_database_the_service_scores_and_says_what_it_cannot() -> None:
    away = "postgresql://nobody:hunter2@127.0.0.1:9/none"
    with running(away) as service, service.client() as client:
        assert client.post("/irt/score", json=SCORE).status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
        read = client.get("/v1/runs")
        assert (read.status_code, read.json()["error"]) == (503, "the database is not available")
        assert "retry-after" in read.headers
        assert "hunter2" not in ready.text + read.text


def test_an_unmigrated_database_is_not_ready(empty_database: str) -> None:
    with running(empty_database) as service, service.client() as client:
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert "thetaline db migrate" in ready.json()["migrations"]
        assert client.get("/v1/runs").status_code == 503


def _ready(client: httpx.Client) -> int:
    """The status of /readyz, which must come within a few seconds."""
    return client.get("/readyz", timeout=6).status_code


def test_while_every_connection_waits_for_a_lock_the_others_are_told_so_and_all_goes_on_after_it(
    database: str,
) -> None:
    with running(database) as service, service.client() as client, ThreadPoolExecutor(CONNECTIONS + 2) as threads:
        with psycopg.connect(database) as conn:
            conn.execute("lock table run, api_token in access exclusive mode")
            waiting = [threads.submit(client.get, "/v1/runs") for _ in range(CONNECTIONS + 2)]
            time.sleep(1)
            assert _ready(client) == 503
            wait_until(lambda: sum(one.done() for one in waiting) == 2, secs=8)
            assert "thetaline_fits_waiting 0.0" in client.get("/metrics", timeout=6).text
            assert client.get("/v1/runs", headers={"authorization": "Bearer tl_0_x"}, timeout=8).status_code == 503
        assert sorted(one.result().status_code for one in waiting) == [200] * CONNECTIONS + [503] * 2
        assert _ready(client) == 200


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


def test_a_frozen_database_is_not_ready_and_ready_again_when_it_goeson_database(database: str) -> None:
    with running(database) as service, service.client() as client:
        with frozen(database):
            assert [_ready(client) for _ in range(3)] == [503] * 3
            assert client.post("/irt/score", json=SCORE).status_code == 200
        wait_until(lambda: _ready(client) == 200, secs=10)


def test_a_database_that_was_away_for_long_is_found_at_once(database: str) -> None:
    sockets = str(conninfo_to_dict(database)["host"])
    if not sockets.startswith("/"):
        pytest.skip("the test's door is a socket, and THETALINE_TEST_DATABASE_URL names a server on the network")
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        door = Path(folder) / "door"
        url = database.replace(urlencode({"host": sockets}), urlencode({"host": str(door)}))
        with running(url) as service, service.client() as client:
            time.sleep(8)
            assert _ready(client) == 503
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
        wait_until(lambda: conn.execute(query).fetchone() is None, secs=5)


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(database: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`thetaline serve` as a user starts it."""
    port = _free_port()
    env = {**os.environ, "DATABASE_URL": database, "R_IRT_INTERNAL_TOKEN": INTERNAL, "SERVICE_WORKERS": "1", **settings}
    command = [sys.executable, "-c", "import sys; from thetaline.cli import main; sys.exit(main())", "serve"]
    process = subprocess.Popen([*command, "--port", str(port)], env=env, stderr=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), secs=60)
        yield process, url
    finally:
        process.kill()
        process.communicate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_sigterm_lets_a_small_fit_finish_and_gives_a_large_one_back(database: str) -> None:
    import psutil
    import psycopg

    answers: list[httpx.Response] = []
    body = {"observations": observations(n_users=80, n_items=8)}
    auth = {"authorization": f"Bearer {INTERNAL}"}

    def ask(url: str, **headers: str) -> httpx.Response:
        return httpx.post(f"{url}/irt/calibrate", json=body, headers={**auth, **headers}, timeout=60)

    def jobs() -> list[tuple[str, int]]:
        with psycopg.connect(database) as conn:
            return conn.execute("select state, attempts from service_job order by created_at").fetchall()

    with served(database, SERVICE_WORKERS="2") as (process, url):
        with suspended(psutil.Process(process.pid).children()):  # they take their tasks and do not come to work on them
            assert [ask(url, prefer="respond-async").status_code for _ in range(2)] == [202, 202]
            wait_until(lambda: jobs() == [("running", 1), ("queued", 0)])
            thread = threading.Thread(target=lambda: answers.append(ask(url)))
            thread.start()
            wait_until(lambda: 'thetaline_fit_processes{state="busy"} 2.0' in httpx.get(f"{url}/metrics").text)
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: jobs() == [("queued", 0), ("queued", 0)], secs=8.0)  # the small fit is held as long
            assert answers == []
        thread.join(60)
        assert process.wait(60) in (0, -signal.SIGTERM)
    assert answers[0].status_code == 200
    assert jobs() == [("queued", 0), ("queued", 0)]


def test_a_killed_service_leaves_no_fit_process_behind(database: str) -> None:
    with served(database) as (process, _url):
        children = psutil.Process(process.pid).children()
        assert children
        process.kill()
        process.wait()
        _gone, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []


def test_the_log_of_the_process_is_json(database: str) -> None:
    with served(database) as (process, url):
        httpx.post(f"{url}/irt/score", json=SCORE, headers={"x-internal-token": INTERNAL})
        process.terminate()
        _, err = process.communicate(timeout=30)
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["route"] for line in lines if line["event"] == "request"] == ["/irt/score"]


def test_a_provider_of_spans_hears_of_each_request(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry import trace

    started: list[str] = []

    class Tracer(trace.NoOpTracer):
        def start_span(self, name: str, *args: Any, **options: Any) -> Any:
            started.append(name)
            return super().start_span(name, *args, **options)

    class Provider(trace.TracerProvider):
        def get_tracer(self, *_args: Any, **_options: Any) -> Any:
            return Tracer()

    monkeypatch.setattr(trace, "get_tracer_provider", Provider)
    with service.client() as client:
        client.get("/v1/runs")
    assert any(name.startswith("GET") for name in started), started
