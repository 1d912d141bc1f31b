"""`thetaline serve` as a process: its log, and what is left when it is ended."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil
import psycopg
import pytest
from serving import INTERNAL, observations, suspended, wait_until

ROWS = observations(n_users=80, n_items=8)


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
        wait_until(lambda: _answers(url), secs=120)
        yield process, url
    finally:
        process.kill()
        process.communicate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class Stopped:
    """A service that was told to stop while a small fit and a large one were at work and another large one waited."""

    at_the_signal: list[tuple[str, int]]
    at_the_end: list[tuple[str, int]]
    exit_code: int
    log: str
    small_fits: list[httpx.Response] = field(default_factory=list)


@pytest.fixture(scope="module")
def stopped(module_database: str) -> Stopped:
    """SIGTERM, once the jobs are given back and the small fit is still at work."""
    small_fits: list[httpx.Response] = []
    given_back = [("queued", 0), ("queued", 0)]
    with served(module_database, SERVICE_WORKERS="2") as (process, url):
        with suspended(psutil.Process(process.pid).children()):  # they take their tasks and do not come to work on them
            assert [_calibrated(url, prefer="respond-async").status_code for _ in range(2)] == [202, 202]
            wait_until(lambda: _jobs(module_database) == [("running", 1), ("queued", 0)])
            thread = threading.Thread(target=lambda: small_fits.append(_calibrated(url)))
            thread.start()
            wait_until(lambda: 'thetaline_fit_processes{state="busy"} 2.0' in httpx.get(f"{url}/metrics").text)
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: _jobs(module_database) == given_back, secs=20)  # less than the small fit is given
            at_the_signal = _jobs(module_database)
            assert small_fits == []
        thread.join(60)
        _, log = process.communicate(timeout=60)
    return Stopped(at_the_signal, _jobs(module_database), process.returncode, log, small_fits)


def _calibrated(url: str, **headers: str) -> httpx.Response:
    auth = {"authorization": f"Bearer {INTERNAL}"}
    return httpx.post(f"{url}/irt/calibrate", json={"observations": ROWS}, headers={**auth, **headers}, timeout=60)


def _jobs(database: str) -> list[tuple[str, int]]:
    with psycopg.connect(database) as conn:
        return conn.execute("select state, attempts from service_job order by created_at").fetchall()


def test_sigterm_lets_a_small_fit_finish_and_gives_a_large_one_back(stopped: Stopped) -> None:
    assert [answer.status_code for answer in stopped.small_fits] == [200]
    assert stopped.at_the_signal == stopped.at_the_end == [("queued", 0), ("queued", 0)]
    assert stopped.exit_code in (0, -signal.SIGTERM)


def test_the_log_of_the_process_is_json(stopped: Stopped) -> None:
    lines = [json.loads(line) for line in stopped.log.splitlines()]
    assert [line["route"] for line in lines if line["event"] == "request"] == ["/irt/calibrate"] * 3


def test_a_killed_service_leaves_no_fit_process_behind(module_database: str) -> None:
    with served(module_database) as (process, _url):
        children = psutil.Process(process.pid).children()
        assert children
        process.kill()
        process.wait()
        _gone, alive = psutil.wait_procs(children, timeout=30)
        assert alive == []
