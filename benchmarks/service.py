"""The service under load, its client on the same machine: throughput and latencies, and two large requests.

Reach: 300 single-learner updates a second with p99 at most 50 ms; 1,000 × 40 answers scored in at most 30 ms by the
server's clock; 500,000 observations calibrated end to end within 10 s.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
import psycopg
from psycopg.types.json import Jsonb

from thetaline import db
from thetaline.client import Client

N_LEARNERS, N_ITEMS, ANSWERS_EACH = 3_000, 150, 30
SECS = 6.0
UPDATES_PER_SEC = 300
TOKEN = "a-token-for-the-benchmark"  # noqa: S105
Ask = Callable[["Connection", int], Awaitable[object]]


class Connection:
    """One kept connection that speaks just enough HTTP: the client must not be what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 26))

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        head = f"{method} {path} HTTP/1.1\r\nhost: b\r\nauthorization: Bearer {TOKEN}\r\n"
        kind = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.writer.write((head + kind).encode() + body)
        headers = await self.reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", headers)[1])  # type: ignore[index]
        answer = await self.reader.readexactly(length)
        if not headers.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path}: {headers[:40]!r} {answer[:200]!r}")
        return answer


@contextmanager
def database() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tl-", ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "db"
        with db.embedded.lease(root, grace_secs=1.0) as held:
            db.migrate(held.url)
            fill(held.url)
            yield held.url
        db.embedded.stop(root)


def fill(url: str) -> None:
    """A published bank and learners with a month of answers behind them."""
    rng = np.random.default_rng(1)
    items = [str(101 + i) for i in range(N_ITEMS)]
    with psycopg.connect(url) as conn, conn.cursor() as cursor:
        sheets = []
        for n in range(N_LEARNERS):
            drawn = rng.choice(N_ITEMS, ANSWERS_EACH, replace=False)
            right = rng.random(ANSWERS_EACH) < 0.6
            sheets.append((f"u{n}", Jsonb({"questions": questions(items, drawn, right)})))
        cursor.executemany(
            "insert into exam_results (user_id, result_json, created_at) values (%s, %s, now() - interval '1 hour')",
            sheets,
        )
        cursor.execute(
            "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
            " values ('fit-1', 'mirt_calibrate', current_date - 1, 'published', now(), now(), 'here', 1)"
        )
        cursor.execute("insert into calibration (run_id, model_spec) values ('fit-1', '{}')")
        cursor.execute(
            "insert into item_param (run_id, item_no, as_of, model, params)"
            " select 'fit-1', item_no, current_date - 1, '2PL',"
            " jsonb_build_object('a', 1.1, 'b', (item_no % 30) / 10.0 - 1.5) from item"
        )
        cursor.execute(
            "insert into ability (run_id, learner_no, as_of, theta, se, n_answers, model)"
            " select 'fit-1', learner_no, current_date - 1, 0.2, 0.4, 20, '2PL' from learner"
        )
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("analyze")


def questions(items: list[str], drawn: "np.ndarray", right: "np.ndarray") -> list[dict[str, object]]:  # type: ignore[type-arg]
    return [
        {"question_id": items[i], "is_correct": bool(ok), "topic": f"t{i % 5}"}
        for i, ok in zip(drawn, right, strict=True)
    ]


@dataclass(frozen=True)
class Served:
    port: int
    process: psutil.Process

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far of the service itself and of PostgreSQL: these hardly depend on who else is busy."""
        servers = [one for one in psutil.process_iter(["name"]) if one.info["name"] == "postgres"]
        return {"service": _cpu([self.process]), "postgres": _cpu(servers)}

    def answered(self) -> "np.ndarray":  # type: ignore[type-arg]
        """Requests so far, and the seconds that the service had them for, by its own clock."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text
        found = (re.findall(rf"(?m)^thetaline_request_seconds_{what}{{.*}} (.+)$", text) for what in ("count", "sum"))
        return np.array([sum(map(float, values)) for values in found])


def _cpu(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


@contextmanager
def service(url: str) -> Iterator[Served]:
    """`thetaline serve` in a process of its own; its log goes to a file."""
    settings = {
        "DATABASE_URL": url,
        "R_IRT_INTERNAL_TOKEN": TOKEN,
        "SERVICE_PORT": "18765",
        "SERVICE_RATE_PER_SEC": "100000",
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; from thetaline.cli import main; sys.exit(main(['serve']))"],
            env={**os.environ, **settings},
            stderr=log,
        )
        try:
            wait_until_ready(18765)
            yield Served(18765, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(60)


def wait_until_ready(port: int) -> None:
    ends = time.monotonic() + 60
    with Client(f"http://127.0.0.1:{port}", TOKEN) as client:
        while time.monotonic() < ends:
            try:
                if client.ready().status == "ready":
                    return
            except Exception:  # noqa: BLE001  it is not up yet
                time.sleep(0.2)
    raise SystemExit("the service did not come up")


async def closed_loop(port: int, ask: Ask, *, connections: int) -> tuple[float, list[float]]:
    """Every connection asks again as soon as it is answered: requests a second, and seconds of each."""
    times: list[float] = []
    ends = time.perf_counter() + SECS

    async def one(number: int) -> None:
        connection, turn = await Connection.open(port), number
        while time.perf_counter() < ends:
            started = time.perf_counter()
            await ask(connection, turn)
            times.append(time.perf_counter() - started)
            turn += connections

    started = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(connections)))
    return len(times) / (time.perf_counter() - started), times


async def open_loop(port: int, ask: Ask, *, per_sec: int, connections: int) -> tuple[float, list[float]]:
    """Requests leave on the clock whether answers came or not; a wait for a free connection counts as latency."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await Connection.open(port))
    times: list[float] = []

    async def one(turn: int, due: float) -> None:
        connection = await free.get()
        await ask(connection, turn)
        times.append(time.perf_counter() - due)
        free.put_nowait(connection)

    started, tasks = time.perf_counter(), []
    for turn in range(int(per_sec * SECS)):
        due = started + turn / per_sec
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(turn, due)))
    await asyncio.gather(*tasks)
    return len(times) / (time.perf_counter() - started), times


def show(name: str, served: Served, run: Callable[[], Awaitable[tuple[float, list[float]]]]) -> None:
    before, answered = served.cpu(), served.answered()
    rate, times = asyncio.run(run())  # type: ignore[arg-type]
    spent = {who: (after - before[who]) / len(times) * 1000 for who, after in served.cpu().items()}
    count, secs = served.answered() - answered
    p50, p95, p99 = (np.percentile(times, q) * 1000 for q in (50, 95, 99))
    latency = f"p50 {p50:7.1f}  p95 {p95:7.1f}  p99 {p99:7.1f} ms"
    processor = f"CPU a request: service {spent['service']:5.2f}, postgres {spent['postgres']:5.2f} ms"
    print(f"{name:<44}{rate:7.0f} /s  {latency}  server {secs / count * 1000:6.1f} ms  {processor}", flush=True)


def updating(offset: int) -> Ask:
    rng = np.random.default_rng(offset)
    sheets = [
        json.dumps([{"item_id": str(101 + i), "is_correct": bool(rng.random() < 0.6)} for i in drawn])
        for drawn in (rng.choice(N_ITEMS, 10, replace=False) for _ in range(500))
    ]

    async def ask(connection: Connection, turn: int) -> None:
        body = f'{{"session_id": "s-{offset}-{turn}", "answers": {sheets[turn % 500]}}}'.encode()
        await connection.ask("POST", f"/v1/learners/u{(turn * 7) % N_LEARNERS}/theta", body)

    return ask


async def reading(connection: Connection, turn: int) -> None:
    await connection.ask("GET", f"/v1/learners/u{turn % N_LEARNERS}/theta")


def scoring(body: bytes) -> Ask:
    return lambda connection, _turn: connection.ask("POST", "/irt/score", body)


def score_bodies() -> dict[str, bytes]:
    rng = np.random.default_rng(3)
    x = (rng.random((1000, 40)) < 0.6).astype(int)
    items = [{"item_id": str(i), "a": 1.1, "b": i / 10 - 2} for i in range(40)]
    keyed = [
        {"user_id": f"u{n}", "item_id": str(i), "is_correct": bool(x[n, i])} for n in range(1000) for i in range(40)
    ]
    return {
        "score 1,000 × 40, positional": json.dumps({"item_params": items, "responses": x.tolist()}).encode(),
        "score 1,000 × 40, keyed": json.dumps({"item_params": items, "responses": keyed}).encode(),
    }


def calibrate_half_a_million(port: int) -> float:
    rng = np.random.default_rng(4)
    theta, b = rng.normal(size=10_000), rng.normal(size=500)
    rows = []
    for n in range(10_000):
        for i in rng.choice(500, 50, replace=False):
            right = rng.random() < 1 / (1 + np.exp(b[i] - theta[n]))
            rows.append(
                {
                    "user_id": f"u{n}",
                    "item_id": str(i),
                    "is_correct": bool(right),
                    "responded_at": "2025-11-01T00:00:00Z",
                }
            )
    body = json.dumps({"observations": rows, "model": "2PL"}).encode()
    started = time.perf_counter()
    with Client(f"http://127.0.0.1:{port}", TOKEN) as client:
        answer = client.calibrate(body)
    elapsed = time.perf_counter() - started
    metrics = answer.fit_meta.metrics
    print(
        f"calibrate 500,000 observations ({len(body) / 1e6:.0f} MB): {elapsed:.2f} s end to end, "
        f"{metrics.status}, {metrics.cycles} cycles"
    )
    return elapsed


def main() -> None:
    with database() as url, service(url) as served:
        port = served.port
        asyncio.run(closed_loop(port, updating(1), connections=4))  # warm
        show("read θ, 8 connections", served, lambda: closed_loop(port, reading, connections=8))
        for n in (8, 32):
            name = f"update θ, back to back, {n} connections"
            show(name, served, lambda: closed_loop(port, updating(n), connections=n))  # noqa: B023
        name = f"update θ, {UPDATES_PER_SEC} a second on the clock"
        show(name, served, lambda: open_loop(port, updating(3), per_sec=UPDATES_PER_SEC, connections=32))
        for name, body in score_bodies().items():
            show(name, served, lambda: closed_loop(port, scoring(body), connections=1))  # noqa: B023
        calibrate_half_a_million(port)


if __name__ == "__main__":
    main()
