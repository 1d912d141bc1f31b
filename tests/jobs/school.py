"""A small simulated school, written straight into exam_results, and the nightly job run on it in this process."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

FIRST_ITEM = 101


@dataclass(frozen=True, slots=True, eq=False)
class School:
    """Items (I,) with known 2PL parameters, learners (N,) with known abilities."""

    item_ids: list[str]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    user_ids: list[str]
    theta: NDArray[np.float64]

    def sit(
        self, day: date, *, items_each: int, seed: int, users: Sequence[int] | None = None
    ) -> list[tuple[Any, ...]]:
        """One exam a learner on `day`: rows (user_id, created_at, result_json)."""
        rng = np.random.default_rng(seed)
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        return [
            (self.user_ids[n], at + timedelta(seconds=n), self._sheet(n, items_each, rng))
            for n in (range(len(self.user_ids)) if users is None else users)
        ]

    def _sheet(self, n: int, items_each: int, rng: np.random.Generator) -> dict[str, Any]:
        drawn = rng.choice(len(self.item_ids), size=min(items_each, len(self.item_ids)), replace=False)
        p = 1 / (1 + np.exp(-self.a[drawn] * (self.theta[n] - self.b[drawn])))
        right = rng.random(drawn.size) < p
        return sheet([(self.item_ids[i], bool(correct)) for i, correct in zip(drawn, right, strict=True)])


def school(*, n_items: int = 40, n_users: int = 300, seed: int = 11, mean: float = 0.0, sd: float = 1.0) -> School:
    """A ~ lognormal around 1.1, b over −2 … 2, θ ~ N(mean, sd²)."""
    rng = np.random.default_rng(seed)
    return School(
        item_ids=[str(FIRST_ITEM + i) for i in range(n_items)],
        a=rng.lognormal(0.1, 0.25, n_items),
        b=rng.permutation(np.linspace(-2, 2, n_items)),
        user_ids=[f"u{n:04d}" for n in range(n_users)],
        theta=rng.normal(mean, sd, n_users),
    )


def sheet(answers: Sequence[tuple[str, object]]) -> dict[str, Any]:
    """A result_json out of (question id, verdict)."""
    return {"questions": [{"question_id": item, "is_correct": verdict, "topic": "t1"} for item, verdict in answers]}


def write(url: str, rows: Sequence[tuple[str, datetime, dict[str, Any]]]) -> None:
    """Insert exam results in one statement; every item gets its row in `question`."""
    users, instants, results = zip(*rows, strict=True) if rows else ((), (), ())
    with psycopg.connect(url) as conn:
        conn.execute(
            "insert into exam_results (user_id, created_at, result_json)"
            " select * from unnest(%s::text[], %s::timestamptz[], %s::jsonb[])",
            [list(users), list(instants), [Jsonb(result) for result in results]],
        )
        conn.execute(
            "insert into question (id, content, topic_id) select item_id::bigint, 'item ' || item_id, 't1' from item"
            " where item_id ~ '^[0-9]+$' on conflict do nothing"
        )


def set_anchors(url: str, references: dict[str, object]) -> None:
    """Tag questions as anchors with these `meta.irt`; None leaves meta.irt out."""
    metas = [
        (Jsonb({"tags": ["anchor"]} | ({} if irt is None else {"irt": irt})), int(item))
        for item, irt in references.items()
    ]
    with psycopg.connect(url) as conn, conn.cursor() as cursor:
        cursor.executemany(
            "insert into question (meta, id) values (%s, %s) on conflict (id) do update set meta = excluded.meta", metas
        )


def true_anchors(of: School, positions: Sequence[int]) -> dict[str, object]:
    """References that are the truth."""
    return {of.item_ids[i]: {"a": float(of.a[i]), "b": float(of.b[i]), "model": "2PL", "version": 1} for i in positions}


def rows(url: str, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """What a query returns."""
    with psycopg.connect(url) as conn:
        return conn.execute(query, parameters).fetchall()


def snapshot(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every table that a calibration could touch, the ledger left out."""
    tables = ("calibration", "item_param", "ability", "gate_result", "question", "mirt_item_params", "mirt_ability")
    return {table: rows(url, f"select * from {table} order by 1, 2") for table in tables}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job in this process ended: exit code, the summary line, what people and log readers saw."""

    code: int
    summary: dict[str, Any]
    stderr: str

    @property
    def log(self) -> list[dict[str, Any]]:
        """The structured lines."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]

    @property
    def events(self) -> list[str]:
        """Their names in order."""
        return [line["event"] for line in self.log]


Calibrate = Callable[..., Ended]


def runner(
    main: Callable[[list[str]], int], url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run a job's `main` on a database: `run("--date", "2025-11-02", MIRT_MODEL="Rasch")`."""

    def run(*arguments: str, **settings: str) -> Ended:
        with monkeypatch.context() as patch:
            patch.setenv("DATABASE_URL", url)
            for name, value in settings.items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = main(list(arguments))
        out, err = capsys.readouterr()
        summary = json.loads(out.splitlines()[-1]) if out.strip().startswith("{") else {}
        return Ended(code, summary, err)

    return run


def current(url: str) -> set[str]:
    """The runs whose estimates are current."""
    return {
        run_id for (run_id,) in rows(url, "select run_id from mirt_item_params union select run_id from mirt_ability")
    }


def states(url: str) -> list[str]:
    """Of all runs, in their order."""
    return [state for (state,) in rows(url, "select state from run order by started_at, run_id")]
