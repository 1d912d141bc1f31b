"""Answers from PostgreSQL to arrays and rows back, on the embedded database: seconds, our CPU, and peak memory.

python benchmarks/bulk_answers.py [answers] reads that many (default 1,000,000; 10,000,000 is what the decision record
quotes) three ways, upserts a million rows of features, and feeds 20,000 exams through the trigger.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from thetaline import db
from thetaline.db import bulk

LEARNERS, ITEMS, PER_EXAM = 200_000, 2_000, 50
KINDS = {
    "learner_no": "int32",
    "item_no": "int32",
    "ordinal": "int32",
    "correct": "bool",
    "answered_at": "datetime64[us]",
}
PLAIN = "select learner_no, item_no, ordinal, correct, answered_at from answer where correct is not null"
DISTINCT = """
select distinct on (learner_no, item_no) learner_no, item_no, ordinal, correct, answered_at
from answer where correct is not null
order by learner_no, item_no, answered_at, exam_result_id, ordinal
"""
FILL = """
insert into answer (exam_result_id, ordinal, answered_at, learner_no, item_no, response_time_ms, correct)
select md5((n / 50)::text)::uuid, n %% 50, timestamptz '2025-10-01' + n / 50 * interval '1 second',
       1 + n / 50 * 7919 %% 200000, 1 + floor(random() * 2000)::integer, 20000, random() < 0.6
from generate_series(0, %(n)s - 1) as n
"""
EXAMS = """
insert into exam_results (user_id, result_json)
select 'user-' || s, jsonb_build_object('questions', (
    select jsonb_agg(jsonb_build_object(
        'question_id', 1 + (s * 31 + q * 17) %% 2000, 'is_correct', (s + q) %% 3 = 0, 'topic', 'topic-' || q %% 20,
        'time_spent_sec', 12.5, 'used_hints', false, 'answered_at', '2025-11-01T10:00:00Z'))
    from generate_series(1, %(per_exam)s) as q))
from generate_series(1, %(exams)s) as s
"""


def timed(what: str, work: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:<52} {time.perf_counter() - wall:7.1f} s {time.process_time() - cpu:7.1f} s CPU {peak_mb:7.0f} MB peak"
    )


def first_answers(url: str) -> None:
    """What the calibration does: read, then keep the first answer of each (learner, item) by a stable sort."""
    rows = bulk.read_columns(url, PLAIN, KINDS)
    pair = rows["learner_no"].astype(np.int64) << 32 | rows["item_no"]
    order = np.lexsort((rows["ordinal"], rows["answered_at"], pair))
    np.flatnonzero(np.diff(pair[order], prepend=-1))


def upsert(url: str, n_rows: int = 1_000_000) -> None:
    rng = np.random.default_rng(1)
    columns = ["user_id", "topic_id", "date", "attempts", "correct", "avg_time_ms", "theta_estimate"]
    users, topics = [f"user-{i // 5}" for i in range(n_rows)], [f"topic-{i % 5}" for i in range(n_rows)]
    counts = np.arange(n_rows)
    values = [users, topics, "2025-11-01", counts % 30, counts % 7, rng.normal(size=n_rows), rng.normal(size=n_rows)]
    with db.connect(url) as conn:
        bulk.upsert_rows(conn, "features_topic_daily", columns, values, key=columns[:3])


def execute(url: str, statement: str, **values: int) -> None:
    with db.connect(url, autocommit=True) as conn:
        conn.execute(statement, values)


def main(n_answers: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        root = Path(folder) / "db"
        timed("first start of the embedded server", lambda: db.embedded.url(root))
        url = db.embedded.url(root)
        timed("migrations from empty", lambda: db.migrate(url))
        timed(f"fill {n_answers:,} answers", lambda: execute(url, FILL, n=n_answers))
        execute(url, "vacuum analyze answer")
        timed("read, fixed-width columns", lambda: bulk.read_columns(url, PLAIN, KINDS))
        timed("read, first answers in NumPy", lambda: first_answers(url))
        timed("read, first answers by distinct on", lambda: bulk.read_columns(url, DISTINCT, KINDS))
        timed("upsert 1,000,000 new rows of features", lambda: upsert(url))
        timed("upsert 1,000,000 old rows of features", lambda: upsert(url))
        timed(
            "20,000 exams of 50 questions through the trigger",
            lambda: execute(url, EXAMS, exams=20_000, per_exam=PER_EXAM),
        )
        db.embedded.stop(root, force=True)
        timed("start again", lambda: db.embedded.lease(root).close())
        db.embedded.stop(root, force=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
