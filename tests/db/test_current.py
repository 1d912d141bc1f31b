"""What is current: the newest published estimates, and the ones before them when a run is taken back."""

import re
from collections.abc import Sequence

import psycopg
import pytest

from thetaline import db
from thetaline.db import bulk

Connection = psycopg.Connection[tuple[object, ...]]


def add_run(
    conn: Connection, run_id: str, *, as_of: str, state: str = "published", items: Sequence[int] = (1,)
) -> None:
    conn.execute(
        "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid) "
        "values (%s, 'mirt_calibrate', %s, %s, %s, %s, 'h', 1)",
        [run_id, as_of, state, as_of, None if state == "running" else as_of],
    )
    params = '{"a": 1.0, "b": 0.0, "se": {}}'
    n = len(items)
    bulk.copy_rows(
        conn, "item_param", ["run_id", "item_no", "as_of", "fitted_at", "model", "params"],
        [run_id, list(items), as_of, as_of, "2PL", [params] * n],
    )  # fmt: skip
    bulk.copy_rows(
        conn, "ability", ["run_id", "learner_no", "as_of", "fitted_at", "theta", "se", "n_answers", "model"],
        [run_id, list(items), as_of, as_of, 0.5, 0.3, 9, "2PL"],
    )  # fmt: skip


@pytest.fixture
def bank(database: str) -> str:
    with db.connect(database) as conn:
        bulk.copy_rows(conn, "item", ["item_id"], [["101", "102", "103"]])
        bulk.copy_rows(conn, "learner", ["user_id"], [["u1", "u2", "u3"]])
    return database


def current(conn: Connection) -> dict[object, object]:
    items = dict(conn.execute("select item_id, run_id from mirt_item_params").fetchall())
    learners = conn.execute("select user_id, run_id from mirt_ability order by user_id").fetchall()
    assert [run for _, run in learners] == [items[item] for item in sorted(items)]
    return items


def test_each_item_shows_the_newest_published_run_that_has_it(bank: str) -> None:
    with db.connect(bank) as conn:
        add_run(conn, "old", as_of="2025-11-01", items=[1, 2])
        add_run(conn, "new", as_of="2025-11-02", items=[2, 3])
        assert current(conn) == {"101": "old", "102": "new", "103": "new"}


@pytest.mark.parametrize("state", ["running", "done", "held", "failed", "retracted"])
def test_a_run_that_is_not_published_shows_nowhere(bank: str, state: str) -> None:
    with db.connect(bank) as conn:
        add_run(conn, "old", as_of="2025-11-01")
        add_run(conn, "new", as_of="2025-11-02", state=state)
        assert current(conn) == {"101": "old"}


def test_a_retracted_run_makes_the_one_before_current_again(bank: str) -> None:
    with db.connect(bank) as conn:
        add_run(conn, "old", as_of="2025-11-01")
        add_run(conn, "new", as_of="2025-11-02")
        assert current(conn) == {"101": "new"}
        conn.execute("update run set state = 'retracted' where run_id = 'new'")
        assert current(conn) == {"101": "old"}


def test_a_past_date_made_again_does_not_become_current(bank: str) -> None:
    with db.connect(bank) as conn:
        add_run(conn, "today", as_of="2025-11-02")
        add_run(conn, "past", as_of="2025-10-01")
        conn.execute("update item_param set fitted_at = now() where run_id = 'past'")
        conn.execute("update ability set fitted_at = now() where run_id = 'past'")
        assert current(conn) == {"101": "today"}


def test_an_update_between_the_nights_is_current_until_the_next_night(bank: str) -> None:
    update = (
        "insert into ability (run_id, learner_no, as_of, fitted_at, theta, se, version, n_answers, model) "
        "values ('night', 1, '2025-11-01', '2025-11-01T10:00Z', 0.9, 0.2, 2, 12, '2PL')"
    )
    with db.connect(bank) as conn:
        add_run(conn, "night", as_of="2025-11-01")
        conn.execute(update)
        assert conn.execute("select theta, version from mirt_ability").fetchall() == [(0.9, 2)]
        add_run(conn, "next", as_of="2025-11-02")
        assert conn.execute("select theta, version from mirt_ability").fetchall() == [(0.5, 1)]


def test_every_calibration_is_listed_with_its_state_and_a_time(bank: str) -> None:
    with db.connect(bank) as conn:
        for day, state in enumerate(["published", "held", "failed", "running"], start=1):
            add_run(conn, state, as_of=f"2025-11-0{day}", state=state, items=[])
        conn.execute("insert into calibration (run_id, model_spec) values ('published', '{\"model\": \"2PL\"}')")
        rows = conn.execute(
            "select run_id, state, fitted_at is null, model_spec ->> 'model' from mirt_fit_meta"
        ).fetchall()
    assert sorted(rows) == [
        ("failed", "failed", False, None),
        ("held", "held", False, None),
        ("published", "published", False, "2PL"),
        ("running", "running", False, None),
    ]


def test_a_year_of_nights_does_not_slow_the_current_view(database: str) -> None:
    with db.connect(database) as conn:
        conn.execute("insert into learner (user_id) select 'u' || n from generate_series(1, 1000) as n")
        conn.execute(
            "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid) "
            "select n::text, 'mirt_calibrate', date '2025-01-01' + n, 'published', now(), now(), 'h', 1 "
            "from generate_series(1, 365) as n"
        )
        conn.execute(
            "insert into ability (run_id, learner_no, as_of, theta, se, n_answers, model) "
            "select run_id, learner_no, as_of, 0, 1, 9, '2PL' from run cross join learner"
        )
        conn.execute("analyze")
        explained = "explain (analyze, timing off, costs off, buffers off) select * from mirt_ability"
        plan = "\n".join(str(line) for (line,) in conn.execute(explained))
    assert re.search(r"ability_newest_first on ability .*rows=1(\.00)? loops=1000\)", plan), plan  # one row a learner
    assert "Sort" not in plan


def test_a_week_starts_on_a_monday(database: str) -> None:
    with db.connect(database) as conn, pytest.raises(psycopg.errors.CheckViolation, match="week_start_is_a_monday"):
        conn.execute("insert into weekly_kpi (user_id, week_start) values ('u1', '2025-11-02')")
