"""One night from published items to weekly indicators on the embedded database: seconds a stage, and peak memory.

python -m benchmarks.night [answers] [days] writes that many answers (default 1,000,000; 50 a learner, 20 topics, 2,000
items, over the last 30 days; 365 shows that older answers cost nothing) straight into `answer`, publishes the true
items, runs the stages for a date, then one more day's answers and the stages for the next date.
"""

import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
import psycopg

from thetaline import db
from thetaline.db.bulk import copy_rows
from thetaline.jobs.abilities import snapshot
from thetaline.jobs.features import backfill
from thetaline.jobs.kpis import compute
from thetaline.jobs.runner import JobContext
from thetaline.settings import Settings

TOPICS, ITEMS, PER_LEARNER = 20, 2_000, 50
TODAY = date(2025, 11, 1)
CHUNK = 1_000_000
STAGES = (snapshot, backfill, compute)


class Bank:
    """True items and learners; a learner gains as much in a day as it gains in the others."""

    def __init__(self, n_learners: int, rng: np.random.Generator) -> None:
        self.a, self.b = rng.lognormal(0.1, 0.3, ITEMS), rng.normal(0, 1, ITEMS)
        self.theta = rng.normal(0, 1, n_learners)
        self.rng = rng


def fill(conn: psycopg.Connection, bank: Bank, n_answers: int, *, last: date, days: int) -> None:
    """Sittings of ten answers on a random day; about 3 % unanswered, every column filled."""
    rng = bank.rng
    for start in range(0, n_answers, CHUNK):
        n = min(CHUNK, n_answers - start)
        sitting = np.arange(n) // 10
        learner = rng.integers(0, bank.theta.size, sitting[-1] + 1)[sitting]
        day = rng.integers(0, days, sitting[-1] + 1)[sitting]
        item = rng.integers(0, ITEMS, n)
        right = rng.random(n) < 1 / (1 + np.exp(-bank.a[item] * (bank.theta[learner] - bank.b[item])))
        at = np.datetime64(last, "us") - day * np.timedelta64(1, "D") + np.timedelta64(12, "h") + np.arange(n) % 10
        number = (start + sitting).astype(np.int64) + (0 if days > 1 else 10**9)
        ids = np.char.mod("%032x", number)
        correct = np.where(rng.random(n) < 0.03, None, np.where(right, "t", "f"))
        columns = {
            "exam_result_id": ids,
            "ordinal": np.arange(n) % 10 + 1,
            "learner_no": learner + 1,
            "item_no": item + 1,
            "topic_no": item % TOPICS + 1,
            "answered_at": at,
            "response_time_ms": rng.integers(2_000, 90_000, n),
            "correct": correct,
            "hint_used": np.where(rng.random(n) < 0.1, "t", "f"),
        }
        copy_rows(conn, "answer", list(columns), list(columns.values()))
        conn.commit()
    conn.autocommit = True
    conn.execute("vacuum analyze answer")
    conn.autocommit = False


def prepare(conn: psycopg.Connection, bank: Bank, n_answers: int, days: int) -> None:
    sizes = (bank.theta.size, ITEMS, TOPICS)
    for kind, column, size in zip(("learner", "item", "topic"), ("user_id", "item_id", "topic_id"), sizes, strict=True):
        copy_rows(conn, kind, [column], [np.arange(1, size + 1).astype(str)])
    conn.execute(
        "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
        " values ('fit-bench', 'mirt_calibrate', %s, 'published', now(), now(), 'bench', 1)",
        (TODAY,),
    )
    population = json.dumps({"population": {"mean": 0.0, "sd": 1.0}})
    conn.execute("insert into calibration (run_id, model_spec, metrics) values ('fit-bench', '{}', %s)", (population,))
    params = [json.dumps({"a": a, "b": b}) for a, b in zip(bank.a.tolist(), bank.b.tolist(), strict=True)]
    columns = ["run_id", "item_no", "as_of", "model", "params"]
    copy_rows(conn, "item_param", columns, ["fit-bench", np.arange(1, ITEMS + 1), str(TODAY), "2PL", np.array(params)])
    fill(conn, bank, n_answers, last=TODAY, days=days)


@contextmanager
def watched(server: psutil.Process, peak: dict[str, float]) -> Iterator[None]:
    """The largest proportional memory of the server's processes while the work runs, in MB."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.5):
            total = 0.0
            for process in (server, *server.children(recursive=True)):
                with suppress(psutil.Error):
                    total += process.memory_full_info().pss / 2**20
            peak["server"] = max(peak.get("server", 0.0), total)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    yield
    stop.set()
    watcher.join()


def night(conn: psycopg.Connection, url: str, as_of: date, server: psutil.Process) -> None:
    peak: dict[str, float] = {}
    total = 0.0
    for job in STAGES:
        now = datetime.now(UTC)
        context = JobContext(
            name=job.JOB, settings=Settings(_env_file=None), url=url, conn=conn, as_of=as_of, now=now, dry_run=False
        )
        cpu, started = time.process_time(), time.monotonic()
        with watched(server, peak):
            job.work(context)
            conn.commit()
        seconds = time.monotonic() - started
        total += seconds
        print(f"{as_of}  {job.JOB:<20} {seconds:7.1f} s  (of it {time.process_time() - cpu:.1f} CPU s in Python)")
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{as_of}  {'all':<20} {total:7.1f} s  peak MB: Python {rss:,.0f}, server {peak['server']:,.0f}", flush=True)


def main(n_answers: int = 1_000_000, days: int = 30) -> None:
    rng = np.random.default_rng(1)
    bank = Bank(n_answers // PER_LEARNER, rng)
    with tempfile.TemporaryDirectory(prefix="night-") as folder:
        root = Path(folder) / "db"
        with db.embedded.lease(root) as held:
            db.migrate(held.url)
            with db.connect(held.url) as conn:
                server = psutil.Process(db.embedded.status(root).pid)
                started = time.monotonic()
                prepare(conn, bank, n_answers, days)
                seconds = time.monotonic() - started
                print(f"{n_answers:,} answers of {bank.theta.size:,} learners written in {seconds:.0f} s")
                night(conn, held.url, TODAY, server)
                fill(conn, bank, n_answers // days, last=TODAY + timedelta(days=1), days=1)
                night(conn, held.url, TODAY + timedelta(days=1), server)
        db.embedded.stop(root, force=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
