"""The weekly segments: what they are made of, what they leave by run, what becomes of those of the week before."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from learners import NOW, TODAY, Answer, Connection, connected, context, publish_items, write_answers

from thetaline.jobs.abilities import snapshot
from thetaline.jobs.calibration.publication import retract
from thetaline.jobs.segments import cluster

WEEK = timedelta(weeks=1)


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connected(database) as conn:
        yield conn


@pytest.fixture(scope="module")
def grouped(module_database: str) -> Iterator[tuple[Connection, str]]:
    """Thirty learners with short sessions every week, twenty with long ones once in three, over two runs."""
    with connected(module_database) as conn:
        write_answers(conn, [*answers(range(30), days=range(0, 84, 7), seconds=20.0, n=1, hint=False)])
        write_answers(conn, [*answers(range(30, 50), days=range(5, 84, 20), seconds=200.0, n=6, hint=True)])
        run(conn, module_database, as_of=TODAY - WEEK, now=NOW - WEEK)
        run(conn, module_database)
        yield conn, module_database


def answers(users: range, *, days: range, seconds: float, n: int, hint: bool) -> Iterator[Answer]:
    rng = np.random.default_rng(users.start)
    for user in users:
        for day in (shifted + int(rng.integers(0, 2)) for shifted in days):
            for item in range(n):
                time = float(seconds * rng.lognormal(0, 0.2))
                right, hinted = bool(rng.random() < 0.7), bool(rng.random() < (0.8 if hint else 0.1))
                yield Answer(f"u{user:02d}", item + 1, right, day, seconds=time, hint=hinted)


def run(conn: Connection, database: str, *, k: int | None = 2, **options: Any) -> dict[str, Any]:
    found = dict(cluster.work(context(conn, database, cluster.JOB, cluster_n_clusters=k, **options)))
    conn.commit()
    return found


def metas(conn: Connection, *columns: str) -> list[tuple[Any, ...]]:
    return conn.execute(f"select {', '.join(columns)} from segment_meta order by fitted_at").fetchall()


def test_each_learner_has_the_segment_of_the_newest_run_with_the_features_behind_it(
    grouped: tuple[Connection, str],
) -> None:
    rows = (
        grouped[0].execute("select user_id, segment_label, features_snapshot, assigned_at from user_segment").fetchall()
    )
    assert len(rows) == 50
    labels = {user: label for user, label, _, _ in rows}
    assert {labels[f"u{user:02d}"] for user in range(30)} == {"short_frequent"}
    assert {labels[f"u{user:02d}"] for user in range(30, 50)} == {"long_rare"}
    features = next(features for user, _, features, _ in rows if user == "u40")
    assert features.keys() == {"sessions_per_week", "session_minutes", "hint_share", "accuracy", "answer_seconds"}
    assert features["sessions_per_week"] == pytest.approx(4 / 12)
    assert {at for _, _, _, at in rows} == {NOW}


def test_the_meta_table_has_centres_in_raw_units_words_in_two_languages_and_the_intended_use(
    grouped: tuple[Connection, str],
) -> None:
    _, (n_clusters, centers, metrics, status, use) = metas(
        grouped[0], "n_clusters", "centers", "metrics", "status", "intended_use"
    )
    assert (n_clusters, status) == (2, "fitted")
    assert [(one["label"], one["size"], one["korean"]) for one in centers] == [
        ("short_frequent", 30, "짧고 자주 학습"),
        ("long_rare", 20, "길지만 드물게 학습"),
    ]
    assert centers[1]["center"]["answer_seconds"] == pytest.approx(200, rel=0.1)
    assert centers[1]["jaccard"] > 0.9
    assert metrics["left_out"] == ["theta", "theta_slope"]
    assert "Never shown to learners" in use


def test_segments_go_on_from_the_week_before(grouped: tuple[Connection, str]) -> None:
    first, second = metas(grouped[0], "centers")
    assert [one["is_new"] for one in first[0]] == [True, True]
    assert [one["is_new"] for one in second[0]] == [False, False]


def test_the_same_week_and_answers_again_write_nothing(grouped: tuple[Connection, str]) -> None:
    conn, database = grouped
    assert run(conn, database)["status"] == "already_done"
    assert run(conn, database, dry_run=True)["n_clusters"] == 2
    assert len(metas(conn, "run_id")) == 2


def test_segments_are_no_kpis_which_learners_read(grouped: tuple[Connection, str]) -> None:
    conn = grouped[0]
    assert conn.execute("select count(*) from weekly_kpi").fetchone() == (0,)
    assert conn.execute("select count(*) from kpi_key where writer = %s", [cluster.JOB]).fetchone() == (0,)


def test_too_few_learners_leave_a_reason_and_the_segments_of_the_week_before(conn: Connection, database: str) -> None:
    write_answers(conn, [*answers(range(40), days=range(8, 84, 9), seconds=20.0, n=1, hint=False)])
    run(conn, database, as_of=TODAY - WEEK, now=NOW - WEEK)
    conn.execute("delete from exam_results where user_id > 'u02'")
    conn.commit()
    found = run(conn, database)
    reason = "not fitted because 3 of at least 40 learners have answers"
    assert (found["fit"], found["reason"]) == ("not fitted", reason)
    assert metas(conn, "status", "reason")[1] == ("not fitted", reason)
    assert conn.execute("select count(*) from user_segment").fetchone() == (40,)


def test_a_calibration_that_is_taken_back_takes_the_segments_on_its_theta_along(
    conn: Connection, database: str
) -> None:
    write_answers(conn, [*answers(range(40), days=range(8, 84, 9), seconds=20.0, n=1, hint=False)])
    publish_items(conn, {1: {"a": 1.0, "b": 0.0}})
    snapshot.work(context(conn, database, snapshot.JOB))
    run(conn, database)
    assert conn.execute("select count(*) from user_segment").fetchone() == (40,)
    retract(conn, "fit-test", reason="test", now=NOW)
    assert conn.execute("select count(*) from user_segment").fetchone() == (0,)


def test_learners_who_do_not_differ_have_no_segments(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer(f"u{number}", 1, True, 3) for number in range(45)])
    assert "0 of at least 2 features differ between learners" in run(conn, database, k=None)["reason"]


def test_an_empty_database_is_no_error(conn: Connection, database: str) -> None:
    assert run(conn, database)["reason"] == "not fitted because 0 of at least 40 learners have answers"
