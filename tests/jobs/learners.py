"""A class in the database: answers as the exam app writes them, items published as a calibration publishes them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from thetaline import db
from thetaline.jobs.runner import JobContext
from thetaline.settings import Settings

TODAY = date(2025, 11, 2)
NOW = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)
Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Answer:
    """One question of a sitting, `days_ago` before TODAY."""

    user: str
    item: int
    correct: bool | None
    days_ago: int = 0
    topic: str | None = "algebra"
    seconds: float | None = None
    hint: bool | None = None
    hour: int = 12

    def question(self) -> dict[str, object]:
        """As it stands in `result_json`."""
        at = datetime(TODAY.year, TODAY.month, TODAY.day, self.hour, tzinfo=UTC) - timedelta(days=self.days_ago)
        question = {
            "question_id": self.item,
            "is_correct": self.correct,
            "topic": self.topic,
            "time_spent_sec": self.seconds,
            "used_hints": self.hint,
            "answered_at": at.isoformat(),
        }
        return {key: value for key, value in question.items() if value is not None or key == "is_correct"}


def write_answers(conn: Connection, answers: Iterable[Answer]) -> None:
    """One exam result a learner and day."""
    sittings: dict[tuple[str, int], list[dict[str, object]]] = {}
    for answer in answers:
        sittings.setdefault((answer.user, answer.days_ago), []).append(answer.question())
    conn.execute(  # a statement a row would take five times as long
        "insert into exam_results (user_id, created_at, result_json)"
        " select * from unnest(%s::text[], %s::timestamptz[], %s::jsonb[])",
        [
            [user for user, _ in sittings],
            [NOW - timedelta(days=days) for _, days in sittings],
            [Jsonb({"questions": questions}) for questions in sittings.values()],
        ],
    )
    conn.commit()


def publish_items(
    conn: Connection, params: Mapping[int, Mapping[str, float]], *, as_of: date = TODAY, run_id: str = "fit-test"
) -> None:
    """Published 2PL parameters by item id, as a calibration of that day leaves them."""
    conn.execute(
        "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
        " values (%s, 'mirt_calibrate', %s, 'published', %s, %s, 'test', 1)",
        (run_id, as_of, NOW, NOW),
    )
    conn.execute("insert into calibration (run_id, model_spec) values (%s, '{}')", (run_id,))
    for item_id, values in params.items():
        conn.execute("insert into item (item_id) values (%s) on conflict do nothing", (str(item_id),))
        conn.execute(
            "insert into item_param (run_id, item_no, as_of, model, params)"
            " select %s, item_no, %s, '2PL', cast(%s as jsonb) from item where item_id = %s",
            (run_id, as_of, json.dumps(values), str(item_id)),
        )
    conn.commit()


def as_writer(conn: Connection, writer: str, *new_keys: str) -> None:
    """Until its transaction ends the connection writes the KPIs of that writer, who gets the new keys."""
    for key in new_keys:
        conn.execute("insert into kpi_key (key, writer) values (%s, %s) on conflict do nothing", (key, writer))
    conn.execute("select set_config('thetaline.kpi_writer', %s, true)", (writer,))


def bank_params(n_items: int, rng: np.random.Generator) -> dict[int, dict[str, float]]:
    """Items 1 to n with lognormal a and normal b."""
    a, b = rng.lognormal(0.1, 0.3, n_items), rng.normal(0, 1, n_items)
    return {item + 1: {"a": float(a[item]), "b": float(b[item])} for item in range(n_items)}


def simulated(
    theta: Mapping[str, float],
    params: Mapping[int, Mapping[str, float]],
    items: Sequence[int] | NDArray[np.intp],
    rng: np.random.Generator,
    *,
    days_ago: Sequence[int] = (0,),
    topics: Sequence[str] = ("algebra",),
) -> list[Answer]:
    """Each learner answers each of the items once, spread over the days; an item belongs to topic (item mod topics)."""
    found = []
    for user, ability in theta.items():
        for number, item in enumerate(items):
            one = params[int(item)]
            right = bool(rng.random() < 1 / (1 + np.exp(-one["a"] * (ability - one["b"]))))
            topic = topics[int(item) % len(topics)]
            found.append(Answer(user, int(item), right, days_ago[number % len(days_ago)], topic, seconds=20.0))
    return found


def context(
    conn: Connection,
    url: str,
    job: str,
    *,
    as_of: date = TODAY,
    now: datetime = NOW,
    dry_run: bool = False,
    **settings: Any,
) -> JobContext:
    """What `run_job` hands to a job's work."""
    return JobContext(
        name=job,
        settings=Settings(_env_file=None, **settings),
        url=url,
        conn=conn,
        as_of=as_of,
        now=now,
        dry_run=dry_run,
    )


def connected(url: str) -> Connection:
    """A connection of the test's own."""
    return db.connect(url)
