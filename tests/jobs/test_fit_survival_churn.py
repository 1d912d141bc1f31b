"""The weekly risk of falling silent: what it leaves by run, for whom, and what it does without enough data."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from benchmarks.churn import N_DAYS, START, driven_by_accuracy
from learners import TODAY, Answer, Connection, connected, context, write_answers
from nights import night

from thetaline.jobs.churn import hazard
from thetaline.jobs.nightly import night as night_job

N_LEARNERS = 140


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connected(database) as conn:
        yield conn


@pytest.fixture(scope="module")
def fitted(module_database: str) -> Iterator[tuple[Connection, str]]:
    """Learners of two classes over 118 days, the less of whose answers are right the sooner they leave."""
    with connected(module_database) as conn:
        write_learners(conn)
        run(conn, module_database)
        yield conn, module_database


def write_learners(conn: Connection) -> None:
    found = driven_by_accuracy(np.random.default_rng(2), N_LEARNERS)
    _, first = np.unique(np.stack([found.learner, found.day]), axis=1, return_index=True)
    write_answers(
        conn,
        [
            Answer(
                f"u{found.learner[row]:03d}",
                int(row % 50),
                bool(found.correct[row]),
                START + N_DAYS - 1 - int(found.day[row]),
            )
            for row in first.tolist()
        ],
    )
    conn.execute("insert into classroom (classroom_id) values ('1a'), ('1b')")
    conn.execute(
        "insert into session (session_id, user_id, classroom_id, started_at)"
        " select user_id, user_id, case when learner_no % 2 = 0 then '1a' else '1b' end, '2025-10-01' from learner"
    )
    conn.commit()


def run(conn: Connection, database: str, **options: Any) -> dict[str, Any]:
    found = dict(hazard.work(context(conn, database, hazard.JOB, **options)))
    conn.commit()
    return found


def meta(conn: Connection, *columns: str) -> tuple[Any, ...]:
    query = f"select {', '.join(columns)} from survival_fit_meta order by fitted_at desc, run_id desc limit 1"
    return conn.execute(query).fetchone() or ()


def test_the_meta_table_tells_the_model_its_accuracy_by_class_and_whose_risk_is_in_force(
    fitted: tuple[Connection, str],
) -> None:
    formula, coefficients, ratios, concordance = meta(
        fitted[0], "formula", "coefficients", "hazard_ratios", "concordance"
    )
    assert formula.startswith("cloglog P(silent for 14 school days) ~ log_silence + active_7")
    assert {one["term"] for one in coefficients} == set(ratios)
    assert all(ratios[one["term"]] == pytest.approx(np.exp(one["estimate"])) for one in coefficients)
    assert 0.6 < concordance < 1
    in_force, metrics, use = meta(fitted[0], "in_force", "metrics", "intended_use")
    assert in_force in ("landmark_hazard", "inactivity")
    accuracy = metrics["accuracy"]
    assert accuracy.keys() >= {"landmark_hazard", "inactivity", "recency", "new learners", "old learners"}
    assert accuracy["group 1a"]["n"] + accuracy["group 1b"]["n"] == accuracy["landmark_hazard"]["n"]
    assert accuracy["landmark_hazard"]["auc"] == concordance
    assert [one["baseline"] for one in metrics["comparisons"]] == ["inactivity", "recency"]
    assert metrics["n_holdouts"] >= 3
    assert "Never shown to learners" in use


def test_risks_are_of_those_at_risk_and_the_silent_are_counted_apart(fitted: tuple[Connection, str]) -> None:
    conn = fitted[0]
    rows = conn.execute("select user_id, risk, hazard_ratio, rank_percentile from survival_risk").fetchall()
    (active,) = (
        conn.execute(
            "select array_agg(distinct user_id) from attempt where started_at >= cast(%s as date) - 13", [TODAY]
        ).fetchone()
        or ()
    )
    assert {row[0] for row in rows} == set(active)
    assert all(0 < risk < 1 and ratio > 0 and 0 < rank < 100 for _, risk, ratio, rank in rows)
    ((metrics,),) = (meta(conn, "metrics"),)
    (everybody,) = conn.execute("select count(*) from learner").fetchone() or (0,)
    assert 0 < metrics["n_already_silent"] <= everybody - len(rows)


def test_the_same_week_and_answers_again_write_nothing(fitted: tuple[Connection, str]) -> None:
    conn, database = fitted
    before = conn.execute("select count(*) from learner_risk").fetchone()
    assert run(conn, database)["status"] == "already_done"
    assert run(conn, database, dry_run=True)["fit"] == "fitted"
    assert conn.execute("select count(*) from learner_risk").fetchone() == before


def test_risks_are_no_kpis_which_learners_read_and_no_reader_but_the_jobs_has_them(
    fitted: tuple[Connection, str],
) -> None:
    conn = fitted[0]
    assert conn.execute("select count(*) from weekly_kpi").fetchone() == (0,)
    assert conn.execute("select count(*) from kpi_key where writer = %s", [hazard.JOB]).fetchone() == (0,)


def test_too_little_data_leave_a_reason_and_the_risks_of_the_week_before(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer(f"u{number}", 1, True, 3) for number in range(3)])
    conn.execute(
        "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
        " values ('before', %s, '2025-10-26', 'published', '2025-10-27', '2025-10-27', 'test', 1)",
        [hazard.JOB],
    )
    conn.execute(
        "insert into survival_fit_meta (run_id, formula, fitted_at, in_force, status, intended_use)"
        " values ('before', '', '2025-10-27', 'inactivity', 'fitted', '')"
    )
    conn.execute("insert into learner_risk select 'before', min(learner_no), 0.4, 1, 50 from learner")
    conn.commit()
    found = run(conn, database)
    reason = "not fitted because 3 of at least 30 learners were active after the first 28 days"
    assert (found["fit"], found["reason"]) == ("not fitted", reason)
    assert meta(conn, "status", "reason", "in_force", "concordance") == ("not fitted", reason, None, None)
    assert conn.execute("select run_id, risk from survival_risk").fetchall() == [("before", 0.4)]
    assert run(conn, database)["status"] == "already_done"


def test_an_empty_database_is_no_error(conn: Connection, database: str) -> None:
    assert (
        run(conn, database)["reason"]
        == "not fitted because 0 of at least 30 learners were active after the first 28 days"
    )


def test_a_new_calendar_makes_a_new_run(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("u1", 1, True, 3)])
    assert "status" not in run(conn, database)
    conn.execute("insert into school_calendar values ('school', '2025-10-03', '2025-10-09', 'holiday', '추석 Chuseok')")
    conn.commit()
    assert "status" not in run(conn, database)


def test_the_night_fits_risks_and_segments_once_a_week(conn: Connection, database: str) -> None:
    stages = [stage for stage in night_job.STAGES if stage.name in ("fit_survival_churn", "cluster_segments")]
    write_answers(conn, [Answer("u1", 1, True, 3)])
    found = night(conn, database, stages=stages, anyway=True, only=None)
    assert [(one["stage"], one["status"], one["fit"]) for one in found["stages"]] == [
        ("fit_survival_churn", "done", "not fitted"),
        ("cluster_segments", "done", "not fitted"),
    ]
    assert all(stage.weekly and "compute_daily_kpis" in stage.comes_after for stage in stages)
