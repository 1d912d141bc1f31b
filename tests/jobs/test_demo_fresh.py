"""`thetaline demo --fresh` empties our own tables of the demo's rows, and nothing else."""

import io
from types import SimpleNamespace

import psycopg
import pytest
from school import rows as rows_of

from thetaline.jobs.demo import files
from thetaline.jobs.demo.clearing import CLEARED, KEPT, SQL

SITTING = """insert into exam_results (id, session_id, user_id, result_json, updated_at) values
    ('00000000-0000-0000-0000-000000000001', 's1', 'learner-1', '{"source": {"file": "demo-school.parquet"},
      "questions": [{"question_id": 1, "is_correct": true, "topic": "algebra"}]}', '2025-11-02 04:00Z')"""
# What the demo's import and the jobs on it leave, in small.
DEMO = (
    SITTING,
    "insert into question (id, topic_id) values (1, 'algebra')",
    "insert into classroom (classroom_id) values ('01')",
    "insert into session (session_id, user_id, classroom_id) values ('s1', 'learner-1', '01')",
    "insert into interest_goal (user_id, topic_id) values ('learner-1', 'algebra')",
    "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
    " values ('demo-1', 'demo', '2025-11-02', 'done', '2025-11-02 04:00Z', '2025-11-02 04:01Z', 'here', 1)",
    "insert into weekly_kpi (user_id, week_start) values ('learner-1', '2025-10-27')",
)
OTHERS = {
    "exam_results": "insert into exam_results (session_id, user_id, result_json) values ('s2', 'learner-1', '{}')",
    "learner": "insert into learner (user_id) values ('ann')",
    "item": "insert into item (item_id) values ('7')",
    "topic": "insert into topic (topic_id) values ('music')",
    "question": "insert into question (id, content) values (7, '2 + 2')",
    "classroom": "insert into classroom (classroom_id) values ('of ann')",
    "session": "insert into session (session_id, user_id) values ('s2', 'ann')",
    "interest_goal": "insert into interest_goal (user_id, topic_id) values ('ann', 'algebra')",
    "run": "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
    " values ('fit-1', 'mirt_calibrate', '2025-11-01', 'held', '2025-11-02 03:59Z', '2025-11-02 04:00Z', 'here', 1)",
    "topic_ability": "insert into topic_ability (run_id, learner_no, topic_no, as_of, theta, se, n_answers, model)"
    " values ('r', 99, 1, '2025-11-02', 0, 1, 1, '2PL')",
    "features_topic_daily": "insert into features_topic_daily (user_id, topic_id, date, attempts, correct)"
    " values ('ann', 'algebra', '2025-11-02', 1, 1)",
    "weekly_kpi": "insert into weekly_kpi (user_id, week_start) values ('ann', '2025-10-27')",
    "stored_report": "insert into report_artifacts (user_id, week_start, format, url)"
    " values ('ann', '2025-10-27', 'html', 'file:///x')",
}


@pytest.fixture
def small_demo(database):
    with psycopg.connect(database) as conn:
        for statement in DEMO:
            conn.execute(statement)
    return database


@pytest.fixture
def name(database):
    with psycopg.connect(database) as conn:
        return conn.info.dbname


@pytest.fixture
def typing(monkeypatch):
    """Type a line."""
    return lambda line: monkeypatch.setattr("sys.stdin", io.StringIO(line))


def contents(url):
    return {table: rows_of(url, f"select * from {table} order by 1, 2") for table in CLEARED}


def test_every_table_of_the_schema_is_cleared_or_kept(database):
    tables = rows_of(database, "select tablename from pg_tables where schemaname = 'public'")
    assert sorted(CLEARED + KEPT) == sorted(table for (table,) in tables)


@pytest.mark.parametrize("table", OTHERS)
def test_a_row_that_is_not_the_demos_keeps_everything_where_it_is(demo, small_demo, name, table):
    with psycopg.connect(small_demo) as conn:
        conn.execute(OTHERS[table])
    before = contents(small_demo)
    code, summary, told = demo("--fresh", "--confirm", name)
    assert (code, summary["status"]) == (2, "bad_input")
    assert f"holds rows that are not the demo's: 1 in {table}; --fresh would delete them" in told
    assert contents(small_demo) == before


def test_what_the_demo_and_the_jobs_on_it_leave_is_the_demos(small_demo):
    with psycopg.connect(small_demo) as conn:
        assert conn.execute(SQL["other_rows"], {"file": files.ANSWERS}).fetchall() == []


@pytest.mark.parametrize("typed", ["thetaline\n", "\n", ""])
def test_without_the_databases_name_nothing_is_cleared(demo, small_demo, name, typing, typed):
    before = contents(small_demo)
    typing(typed)
    code, _, told = demo("--fresh")
    assert code == 2
    assert f"in the database '{name}'. Type its name to go on" in told
    assert f"{typed.strip()!r} is not the name of the database, '{name}'; nothing was cleared" in told
    code, _, told = demo("--fresh", "--confirm", "thetaline")
    assert code == 2
    assert "Type its name" not in told
    assert contents(small_demo) == before


def test_somebody_elses_table_and_tokens_outlive_a_fresh_demo_whose_databases_name_is_typed(
    demo, rows, small_demo, name, typing
):
    with psycopg.connect(small_demo) as conn:
        conn.execute("create table customers as select generate_series(1, 1000) as id")
        conn.execute(
            "insert into api_token (token_id, name, secret_sha256, scopes) values ('t', 'app', sha256('x'), '{score}')"
        )
    typing(f"{name}\n")
    code, fresh, told = demo("--fresh", "--learners", "100")
    assert (code, fresh["status"]) == (0, "done"), told
    assert rows("select count(distinct user_id), count(*) filter (where user_id = 'learner-1') from exam_results") == [
        (100, 0)
    ]
    assert rows("select count(*), (select count(*) from mirt_fit_meta) from run where run_id = 'demo-1'") == [(0, 2)]
    assert rows("select count(*), (select count(*) from api_token) from customers") == [(1000, 1)]


def test_a_row_that_comes_while_the_name_is_typed_keeps_everything_too(demo, rows, small_demo, name, monkeypatch):
    def typed():
        with psycopg.connect(small_demo) as conn:
            conn.execute(OTHERS["learner"])
        return name

    monkeypatch.setattr("sys.stdin", SimpleNamespace(readline=typed))
    code, _, told = demo("--fresh")
    assert code == 2
    assert "1 in learner; --fresh would delete them" in told
    assert rows("select count(*) from exam_results") == [(1,)]
