"""A real service on a loopback port, and small banks and answers to ask it with."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import httpx
import numpy as np
import psutil
import psycopg
import uvicorn
from fastapi import FastAPI
from psycopg.types.json import Jsonb

from thetaline.db.tokens import create_token
from thetaline.service import create_app
from thetaline.service.database import Database
from thetaline.service.server import StoppingServer
from thetaline.service.services import Services
from thetaline.service.tokens import Scope, new_token
from thetaline.service.uvicorn_protocol import bounded_protocol
from thetaline.settings import load

T = TypeVar("T")
NewDatabase = Callable[[], AbstractContextManager[str]]
INTERNAL = "the-internal-token"
CONTRACT_PAYLOAD = {
    "observations": [{"user_id": "u1", "item_id": "101", "is_correct": True, "responded_at": "2025-11-01T00:00:00Z"}],
    "model": "2PL",
    "anchors": [{"item_id": "101", "params": {"a": 1.2, "b": 0.5}, "fixed": True}],
}

ITEM = {"item_id": "1", "a": 1.0, "b": 0.0}


@dataclass(frozen=True, slots=True)
class Running:
    """A service under test."""

    url: str
    database: str
    app: FastAPI
    loop: asyncio.AbstractEventLoop

    @property
    def services(self) -> Services:
        found: Services = self.app.state.services
        return found

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.url)
        return url.host, url.port or 80

    def loop_secs(self) -> float:
        """Processor time that the loop's thread has taken."""

        async def taken() -> float:
            return time.thread_time()

        return asyncio.run_coroutine_threadsafe(taken(), self.loop).result(60)

    def client(self, token: str | None = INTERNAL, **options: Any) -> httpx.Client:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, **options)

    def fit_processes(self) -> list[psutil.Process]:
        """Those that are alive, once all of them have come up."""
        wait_until(lambda: self.services.dispatcher.idle == self.services.settings.service_workers)
        return [psutil.Process(pid) for pid in self.services.dispatcher.pids]

    def token(self, *scopes: Scope, user_id: str | None = None) -> str:
        """A new token of these scopes, known to the service at once."""
        text, row = new_token("test", set(scopes), user_id=user_id, expires_at=None)
        with psycopg.connect(self.database) as conn:
            create_token(conn, row)
        return text


@contextmanager
def running(database: str, *, anonymous: bool = False, **settings: Any) -> Iterator[Running]:
    """Serve from a thread until the block ends."""
    chosen = {"database_url": database, "service_workers": 1, "r_irt_internal_token": INTERNAL, **settings}
    made = load(**chosen)
    app = create_app(made, anonymous=anonymous)
    protocol = bounded_protocol(
        header_timeout_secs=made.service_header_timeout_secs, max_connections=made.service_max_connections
    )
    config = uvicorn.Config(
        app, port=0, http=protocol, ws="none", access_log=False, log_config=None, timeout_graceful_shutdown=5
    )
    server = StoppingServer(config, app)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    def run() -> None:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Running(f"http://127.0.0.1:{port}", database, app, loops[0])
    finally:
        server.should_exit = True
        thread.join(30)


@contextmanager
def suspended(processes: list[psutil.Process]) -> Iterator[None]:
    """Stop them; those that live are woken at the end, also of a test that fails, or nobody could wait for them."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def wait_until(true: Any, *, secs: float = 30.0) -> None:
    """Look every 20 ms until it is true."""
    ends = time.monotonic() + secs
    while not true():
        assert time.monotonic() < ends, f"not true after {secs} s"
        time.sleep(0.02)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.secs = 1_000.0

    def __call__(self) -> float:
        return self.secs


def on_database(url: str, ask: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """What `ask` comes to with the service's connections to this database."""

    async def answer() -> T:
        opened = Database(url)
        opened.open()
        try:
            return await ask(opened)
        finally:
            opened.close()

    return asyncio.run(answer())


def fits_done(service: Running, kind: str, *, outcome: str = "ok") -> float:
    """How many tasks of a kind the fit processes have ended so."""
    return _metric(service, f'thetaline_fits_total{{kind="{kind}",outcome="{outcome}"}}')


def jobs_in(service: Running, state: str) -> float:
    """How many large fits are in this state."""
    return _metric(service, f'thetaline_jobs{{state="{state}"}}')


def _metric(service: Running, name: str) -> float:
    """Its value, 0 where there is none yet."""
    line = f"{name} "
    with service.client() as client:
        found = [one for one in client.get("/metrics").text.splitlines() if one.startswith(line)]
    return float(found[0].removeprefix(line)) if found else 0.0


@contextmanager
def answering(answers: list[tuple[int, dict[str, str], Any]]) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers in turn, then none before the block ends; and what it was asked for."""
    asked: list[str] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            asked.append(self.path)
            if len(asked) > len(answers):
                over.wait(60)
                return
            status, headers, body = answers[len(asked) - 1]
            raw = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = _answer  # noqa: N815  the names that http.server looks for

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            over.set()
            server.shutdown()
            thread.join()


def waiting_for_a_lock(database: str) -> int:
    """How many sessions of this database do."""
    with psycopg.connect(database) as conn:
        waiting = "wait_event_type = 'Lock' and datname = current_database()"
        found = conn.execute(f"select count(*) from pg_stat_activity where {waiting}").fetchone()
    return 0 if found is None else int(found[0])


def observations(*, n_users: int, n_items: int, seed: int = 1) -> list[dict[str, Any]]:
    """Everybody answers everything, by a Rasch model."""
    rng = np.random.default_rng(seed)
    theta, b = rng.normal(size=n_users), np.linspace(-1.5, 1.5, n_items)
    right = rng.random((n_users, n_items)) < 1 / (1 + np.exp(b - theta[:, None]))
    return [
        {"user_id": f"u{n}", "item_id": f"{101 + i}", "is_correct": bool(right[n, i])}
        for n in range(n_users)
        for i in range(n_items)
    ]


def without_run(body: dict[str, Any]) -> dict[str, Any]:
    """A calibration's answer but for its run, which has the time in it."""
    meta = {name: value for name, value in body["fit_meta"].items() if name != "run_id"}
    return {**body, "fit_meta": meta}


def publish(
    database: str,
    items: dict[str, dict[str, float]],
    *,
    run_id: str = "fit-1",
    abilities: dict[str, float] | None = None,
) -> None:
    """A published calibration, written as the job writes it."""
    with psycopg.connect(database) as conn, conn.cursor() as cursor:
        cursor.execute(
            "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
            " values (%s, 'mirt_calibrate', current_date - 1, 'published', now(), now(), 'here', 1)",
            (run_id,),
        )
        cursor.execute("insert into calibration (run_id, model_spec) values (%s, '{}')", (run_id,))
        cursor.executemany("insert into item (item_id) values (%s) on conflict do nothing", [(name,) for name in items])
        cursor.executemany(
            "insert into item_param (run_id, item_no, as_of, model, params)"
            " select %s, item_no, current_date - 1, '2PL', %s from item where item_id = %s",
            [(run_id, Jsonb(params), name) for name, params in items.items()],
        )
        cursor.executemany(
            "insert into gate_result values (%s, %s, true, 1.0, 'at least 1', 'fine')", [(run_id, "converged")]
        )
        cursor.executemany(
            "insert into learner (user_id) values (%s) on conflict do nothing", [(name,) for name in abilities or {}]
        )
        cursor.executemany(
            "insert into ability (run_id, learner_no, as_of, theta, se, n_answers, model)"
            " select %s, learner_no, current_date - 1, %s, 0.4, 20, '2PL' from learner where user_id = %s",
            [(run_id, theta, name) for name, theta in (abilities or {}).items()],
        )
