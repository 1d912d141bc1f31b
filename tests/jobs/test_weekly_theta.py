"""θ of single weeks: what each is made of, on which scale, and what a second run does."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from learners import (
    NOW,
    TODAY,
    Answer,
    Connection,
    bank_params,
    connected,
    context,
    publish_items,
    simulated,
    write_answers,
)
from nights import night

from thetaline import irt
from thetaline.errors import InputError, JobError
from thetaline.jobs.abilities import weekly
from thetaline.jobs.calibration.publication import retract
from thetaline.jobs.nightly import night as night_job
from thetaline.learning.windows import last_week_end

MONDAY = date(2025, 10, 27)  # TODAY is the Sunday of its week
PARAMS = bank_params(30, np.random.default_rng(5))


def run(conn: Connection, database: str, *, since: str | None = None, **options: Any) -> dict[str, Any]:
    return dict(weekly.work(context(conn, database, "weekly_theta", **options), since=since))


def stored(conn: Connection, user: str) -> list[tuple[Any, ...]]:
    query = "select week_start, theta, se, n from weekly_theta where user_id = %s order by week_start"
    return conn.execute(query, [user]).fetchall()


def wle(answers: dict[int, bool]) -> tuple[float, float]:
    """As the library says it."""
    items = irt.Items(
        ids=range(len(answers)), a=[PARAMS[item]["a"] for item in answers], b=[PARAMS[item]["b"] for item in answers]
    )
    scores = irt.score(irt.Responses.from_matrix([list(answers.values())]), items, method="WLE")
    return float(scores.theta[0]), float(scores.se[0])


@pytest.fixture
def conn(database: str) -> Any:
    with connected(database) as conn:
        yield conn


def test_a_week_is_scored_from_its_own_first_answers_alone(conn: Connection, database: str) -> None:
    publish_items(conn, PARAMS)
    this_week = [Answer("u1", 1, True, 5), Answer("u1", 2, False, 4), Answer("u1", 3, True, 0)]
    again = [Answer("u1", 2, True, 3), Answer("u1", 4, None, 2), Answer("u1", 99, True, 2)]  # repeated, blank, unknown
    last_week = [Answer("u1", 1, False, 8), Answer("u1", 5, True, 13)]
    write_answers(conn, [*this_week, *again, *last_week])
    run(conn, database)
    expected = [(MONDAY - timedelta(7), *wle({1: False, 5: True}), 2), (MONDAY, *wle({1: True, 2: False, 3: True}), 3)]
    for row, wanted in zip(stored(conn, "u1"), expected, strict=True):
        assert row == pytest.approx(wanted, abs=1e-7)


def test_a_perfect_week_has_a_finite_theta_and_says_how_little_is_known(conn: Connection, database: str) -> None:
    publish_items(conn, PARAMS)
    write_answers(conn, [Answer(user, item, user == "all", 1) for user in ("all", "none") for item in (1, 2, 3)])
    run(conn, database)
    ((_, high, se_high, _),), ((_, low, se_low, _),) = stored(conn, "all"), stored(conn, "none")
    assert high > low
    assert min(se_high, se_low) > 0.8


def test_weeks_begin_at_the_midnight_of_the_schools_zone(conn: Connection, database: str) -> None:
    publish_items(conn, PARAMS)
    write_answers(conn, [Answer("u1", 1, True, 7, hour=16), Answer("u1", 2, False, 7, hour=14)])  # Sunday in UTC
    run(conn, database, thetaline_time_zone="Asia/Seoul")
    assert [(week, n) for week, _, _, n in stored(conn, "u1")] == [(MONDAY - timedelta(7), 1), (MONDAY, 1)]


def test_a_week_that_is_not_over_waits(conn: Connection, database: str) -> None:
    publish_items(conn, PARAMS)
    write_answers(conn, [Answer("u1", 1, True, 0), Answer("u1", 2, True, 7)])
    run(conn, database, as_of=TODAY - timedelta(days=1))
    assert [week for week, *_ in stored(conn, "u1")] == [MONDAY - timedelta(7)]
    assert [last_week_end(TODAY - timedelta(days=day)) for day in (0, 1, 6, 7)] == [
        TODAY, *[TODAY - timedelta(7)] * 3
    ]  # fmt: skip


def test_the_same_answers_twice_write_nothing_and_new_items_or_weeks_write_a_run(
    conn: Connection, database: str
) -> None:
    publish_items(conn, PARAMS)
    write_answers(conn, [Answer("u1", 1, True, 1), Answer("u1", 2, True, 100)])
    first = run(conn, database)
    again = run(conn, database, now=NOW + timedelta(hours=1))
    assert (again["status"], again["run_id"]) == ("already_done", first["run_id"])
    assert len(stored(conn, "u1")) == 1
    longer = run(conn, database, now=NOW + timedelta(hours=2), since=str(TODAY - timedelta(days=100)))
    assert longer["n_estimates"] == 2
    publish_items(conn, {item: {"a": 1.0, "b": 0.0} for item in PARAMS}, run_id="fit-other")
    run(conn, database, now=NOW + timedelta(hours=3))
    assert len(stored(conn, "u1")) == 4
    conn.rollback()
    (newest,) = conn.execute("select newest_weekly_theta(%s)", [TODAY]).fetchone() or ()
    retract(conn, "fit-other", reason="test", now=NOW)
    assert conn.execute("select newest_weekly_theta(%s)", [TODAY]).fetchone() == (longer["run_id"],)
    assert newest != longer["run_id"]


def test_a_dry_run_estimates_and_writes_nothing(conn: Connection, database: str) -> None:
    publish_items(conn, PARAMS)
    write_answers(conn, [Answer("u1", 1, True, 1)])
    assert run(conn, database, dry_run=True)["n_estimates"] == 1
    assert stored(conn, "u1") == []
    assert conn.execute("select count(*) from run where job = 'weekly_theta'").fetchone() == (0,)


def test_without_published_items_or_with_a_first_week_after_the_last_it_says_so(
    conn: Connection, database: str
) -> None:
    with pytest.raises(JobError, match="no item parameters are published"):
        run(conn, database)
    with pytest.raises(InputError, match="lies after the last day of the range, 2025-11-02"):
        run(conn, database, since="2025-11-03")


def test_the_chain_makes_the_weeks_once_and_a_weekday_finds_them_done(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(1)
    publish_items(conn, PARAMS)
    write_answers(conn, simulated({"u1": 0.5, "u2": -0.5}, PARAMS, range(1, 31), rng, days_ago=(0, 3, 8)))
    stages = [stage for stage in night_job.STAGES if stage.name == weekly.JOB]
    for later, status in ((0, "done"), (1, "already_done"), (6, "already_done"), (7, "done")):
        day, now = TODAY + timedelta(days=later), NOW + timedelta(days=later)
        found = night(conn, database, now, as_of=day, stages=stages, anyway=True)
        assert [stage["status"] for stage in found["stages"]] == [status]
    assert conn.execute("select as_of from run where job = 'weekly_theta' order by 1").fetchall() == [
        (TODAY,), (TODAY + timedelta(7),)
    ]  # fmt: skip
