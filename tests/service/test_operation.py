"""The service as a process: logs, signals, a database that goes away, spans."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from serving import INTERNAL, ITEM, Running, observations, running, wait_until

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
    import psycopg

    rows = observations(n_users=1500, n_items=40)
    answers: list[httpx.Response] = []
    auth = {"authorization": f"Bearer {INTERNAL}"}

    def ask(url: str) -> None:
        answers.append(httpx.post(f"{url}/irt/calibrate", json={"observations": rows}, headers=auth, timeout=60))

    with served(database, SERVICE_WORKERS="2") as (process, url):
        large = observations(n_users=6000, n_items=60)
        job = httpx.post(
            f"{url}/irt/calibrate",
            json={"observations": large},
            headers={**auth, "prefer": "respond-async"},
            timeout=60,
        ).json()
        wait_until(lambda: httpx.get(url + job["href"], headers=auth).json()["state"] == "running")
        thread = threading.Thread(target=ask, args=(url,))
        thread.start()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        thread.join(60)
        assert process.wait(60) in (0, -signal.SIGTERM)
    assert answers[0].status_code == 200
    with psycopg.connect(database) as conn:
        state = conn.execute("select state, attempts from service_job").fetchone()
    assert state in (("queued", 0), ("done", 1))


def test_a_killed_service_leaves_no_fit_process_behind(database: str) -> None:
    import psutil

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
