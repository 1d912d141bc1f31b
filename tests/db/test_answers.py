"""From an exam's JSON to answers: what is sound is kept, what is not costs itself only."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from thetaline import db

CREATED = datetime(2025, 11, 2, 12, 0, tzinfo=UTC)
Row = dict[str, Any]


def take(conn: psycopg.Connection[tuple[object, ...]], questions: object, *, user: str = "u1") -> list[Row]:
    """Store an exam result with these questions; what the attempt view makes of it, in order."""
    result = json.dumps({"questions": questions})
    stored = conn.execute(
        "insert into exam_results (user_id, result_json, created_at) values (%s, %s, %s) returning id",
        [user, result, CREATED],
    ).fetchone()
    assert stored is not None
    return attempts(conn, str(stored[0]))


def attempts(conn: psycopg.Connection[tuple[object, ...]], exam_result_id: str) -> list[Row]:
    with conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(
            "select * from attempt where id like %s || ':%%' order by split_part(id, ':', 2)::int", [exam_result_id]
        ).fetchall()


def test_a_sound_element_is_an_attempt_with_the_contracts_columns(database: str) -> None:
    element = {
        "question_id": 101, "is_correct": True, "topic": "algebra", "time_spent_sec": 12.3456, "used_hints": True,
        "answered_at": "2025-11-01T23:30:00+09:00",
    }  # fmt: skip
    with db.connect(database) as conn:
        (row,) = take(conn, [element])
    at = datetime(2025, 11, 1, 14, 30, tzinfo=UTC)
    assert {name: row[name] for name in row if name != "id"} == {
        "user_id": "u1", "item_id": "101", "correct": True, "response_time_ms": 12346, "hint_used": True,
        "started_at": at, "completed_at": at, "attempt_no": 1, "session_id": None, "topic_id": "algebra",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("element", "column", "value"),
    [
        ({"question_id": "101"}, "item_id", "101"),
        ({"question_id": 101.0}, "item_id", "101"),
        ({"question_id": " q1_8 "}, "item_id", "q1_8"),
        ({"correct": False}, "correct", False),
        ({"is_correct": True, "correct": False}, "correct", True),
        ({"is_correct": None, "correct": False}, "correct", False),
        ({}, "correct", None),
        ({"is_correct": None}, "correct", None),
        ({"topic": 7}, "topic_id", "7"),
        ({"topic": ["a"]}, "topic_id", None),
        ({"topic": " "}, "topic_id", None),
        ({"used_hints": 2}, "hint_used", True),
        ({"used_hints": 0}, "hint_used", False),
        ({"used_hints": "yes"}, "hint_used", None),
        ({}, "hint_used", None),
        ({"time_spent_sec": 0}, "response_time_ms", 0),
        ({"time_spent_sec": -0.1}, "response_time_ms", None),
        ({"time_spent_sec": 1e300}, "response_time_ms", None),
        ({"time_spent_sec": "NaN"}, "response_time_ms", None),
        ({}, "response_time_ms", None),
        ({}, "completed_at", CREATED),
        ({"answered_at": None}, "completed_at", CREATED),
        ({"answered_at": ""}, "completed_at", CREATED),
        ({"answered_at": "2025-11-01"}, "completed_at", datetime(2025, 11, 1, tzinfo=UTC)),
        ({"answered_at": "2025-11-01 10:00"}, "completed_at", datetime(2025, 11, 1, 10, tzinfo=UTC)),
        (
            {"answered_at": "2025-11-01T10:00:00.5Z"},
            "completed_at",
            datetime(2025, 11, 1, 10, 0, 0, 500000, tzinfo=UTC),
        ),
        ({"answered_at": "2025-11-01T10:00:00-0330"}, "completed_at", datetime(2025, 11, 1, 13, 30, tzinfo=UTC)),
    ],
)
def test_each_key_is_read_as_the_contract_says(database: str, element: Row, column: str, value: object) -> None:
    with db.connect(database) as conn:
        (row,) = take(conn, [{"question_id": 1, **element}])
    assert row[column] == value


@pytest.mark.parametrize(
    "broken",
    [
        {"question_id": None}, {"question_id": ""}, {"question_id": 1.5}, {"question_id": 1e300}, {"question_id": True},
        {"question_id": ["1"]}, {"question_id": "x" * 201}, {"is_correct": "yes"}, {"is_correct": 1},
        {"is_correct": {}},
        {"answered_at": "yesterday"}, {"answered_at": "now"}, {"answered_at": "infinity"}, {"answered_at": 1762056923},
        {"answered_at": "2025-02-30"}, {"answered_at": "2025-11-01T25:00:00Z"}, {"answered_at": "0001-01-01"},
        {"answered_at": "2025-11-01T10:00:00+99:00"}, {"answered_at": {}},
    ],
    ids=str,
)  # fmt: skip
def test_a_malformed_element_costs_itself_only(database: str, broken: Row) -> None:
    sound = {"question_id": 1, "is_correct": True}
    with db.connect(database) as conn:
        rows = take(conn, [sound, {**sound, **broken}, sound])
    assert [str(row["id"]).split(":")[1] for row in rows] == ["1", "3"]


@pytest.mark.parametrize(
    "result", [None, 5, "x", [], [1], {}, {"questions": None}, {"questions": {"a": 1}}, {"questions": "[]"}]
)
def test_a_result_without_questions_has_no_attempts(database: str, result: object) -> None:
    with db.connect(database) as conn:
        conn.execute("insert into exam_results (user_id, result_json) values ('u1', %s)", [json.dumps(result)])
        assert conn.execute("select count(*) from attempt").fetchone() == (0,)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(["NaN", "yes", "2025-11-01T10:00:00Z", "2025-11-01", "24:00", "now", "infinity", "101", "1e400"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab_", max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
KEYS = ["question_id", "is_correct", "correct", "topic", "time_spent_sec", "used_hints", "answered_at"]
ELEMENTS = JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, JSON)) | st.fixed_dictionaries(
    {"question_id": st.integers(1, 5)}, optional={"is_correct": st.none() | st.booleans(), "answered_at": JSON}
)  # fmt: skip


def expected(element: object) -> tuple[str, bool | None] | None:
    """The rule in Python, for every part but the time: item and verdict of an element, None for a malformed one."""
    if not isinstance(element, dict):
        return None
    item, verdict = code(element.get("question_id")), element.get("is_correct")
    verdict = element.get("correct") if verdict in (None, "") and not isinstance(verdict, bool) else verdict
    verdict = None if verdict == "" else verdict
    return (item, verdict) if item and (verdict is None or isinstance(verdict, bool)) else None


def code(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip(" \t\n\r") or None if len(value) <= 200 else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != math.floor(value):
        return None
    return str(int(value)) if -(2**63) <= value < 2**63 else None


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(questions=JSON | st.lists(ELEMENTS, max_size=5))
def test_no_json_fails_the_write_and_every_sound_element_is_kept(database: str, questions: object) -> None:
    with db.connect(database) as conn:
        rows = {str(row["id"]).split(":")[1]: (row["item_id"], row["correct"]) for row in take(conn, questions)}
        conn.rollback()
    elements = questions if isinstance(questions, list) else []
    wanted = {str(n): kept for n, element in enumerate(elements, 1) if (kept := expected(element))}
    assert rows.items() <= wanted.items()  # a broken time may cost more
    timeless = {n for n in wanted if elements[int(n) - 1].get("answered_at") in (None, "")}
    assert timeless <= rows.keys()


def test_a_repeated_question_is_counted_in_the_order_of_its_answers(database: str) -> None:
    with db.connect(database) as conn:
        days = [{"question_id": 1, "answered_at": f"2025-11-0{day}"} for day in (3, 1, 1)]
        take(conn, days)
        (last,) = take(conn, [{"question_id": 1, "answered_at": "2025-11-02"}])
        seen = attempts(conn, "%")
    assert last["attempt_no"] == 3
    assert sorted((row["completed_at"].day, row["attempt_no"]) for row in seen) == [(1, 1), (1, 2), (2, 3), (3, 4)]


def test_recomputing_a_result_moves_no_attempt_in_time(database: str) -> None:
    with db.connect(database) as conn:
        before = take(conn, [{"question_id": 1, "is_correct": True}])
        conn.execute("update exam_results set updated_at = %s, score_raw = 1", [CREATED + timedelta(days=9)])
        assert attempts(conn, str(before[0]["id"]).split(":")[0]) == before


def test_an_update_replaces_the_answers_and_a_delete_removes_them(database: str) -> None:
    with db.connect(database) as conn:
        take(conn, [{"question_id": 1, "is_correct": True}, {"question_id": 2, "is_correct": True}], user="u1")
        take(conn, [{"question_id": 1, "is_correct": True}], user="u2")
        one = json.dumps({"questions": [{"question_id": 3, "is_correct": False}]})
        conn.execute("update exam_results set result_json = %s where user_id = 'u1'", [one])
        seen = conn.execute("select user_id, item_id, correct from attempt order by 1, 2").fetchall()
        assert seen == [("u1", "3", False), ("u2", "1", True)]
        conn.execute("update exam_results set user_id = 'u3' where user_id = 'u1'")
        conn.execute("delete from exam_results where user_id = 'u2'")
        assert conn.execute("select user_id, item_id from attempt").fetchall() == [("u3", "3")]
        conn.execute("truncate exam_results")
        assert conn.execute("select count(*) from answer").fetchone() == (0,)


def test_an_upsert_of_the_exam_app_keeps_one_row_a_question(database: str) -> None:
    upsert = (
        "insert into exam_results (session_id, user_id, result_json) values ('s1', 'u1', %s) "
        "on conflict (session_id) do update set result_json = excluded.result_json"
    )
    with db.connect(database) as conn:
        for verdict in (None, True):
            conn.execute(upsert, [json.dumps({"questions": [{"question_id": 1, "is_correct": verdict}]})])
        assert conn.execute("select session_id, correct from attempt").fetchall() == [("s1", True)]


def test_an_element_without_a_topic_takes_its_questions(database: str) -> None:
    with db.connect(database) as conn:
        conn.execute("insert into question (id, topic_id) values (101, 'algebra')")
        rows = take(conn, [{"question_id": "101"}, {"question_id": 101, "topic": "logic"}, {"question_id": 102}])
    assert [row["topic_id"] for row in rows] == ["algebra", "logic", None]


def test_the_time_zone_of_the_writer_does_not_matter(database: str) -> None:
    with db.connect(database) as conn:
        conn.execute("set timezone = 'Asia/Seoul'")
        (row,) = take(conn, [{"question_id": 1, "answered_at": "2025-11-01T10:00:00"}])
    assert row["completed_at"] == datetime(2025, 11, 1, 10, tzinfo=UTC)


def test_two_writers_of_the_same_new_learner_both_succeed(database: str) -> None:
    insert = "insert into exam_results (user_id, result_json) values ('new', %s)"
    result = json.dumps({"questions": [{"question_id": 1, "is_correct": True, "topic": "new"}]})
    with db.connect(database) as first, db.connect(database) as second:
        first.execute(insert, [result])
        second.execute("set lock_timeout = '5s'")
        waiting = second.pgconn
        waiting.send_query(insert.replace("%s", f"'{result}'").encode())
        while not first.execute(
            "select 1 from pg_stat_activity where pid = %s and wait_event_type = 'Lock'", [second.info.backend_pid]
        ).fetchone():
            first.execute("select pg_stat_clear_snapshot()")
        first.commit()
        answer = waiting.get_result()
        assert answer is not None
        assert answer.status == psycopg.pq.ExecStatus.COMMAND_OK
        while waiting.get_result() is not None:
            pass
        second.commit()
        assert first.execute("select count(*), count(distinct learner_no) from answer").fetchone() == (2, 1)


def test_writing_known_learners_burns_no_numbers(database: str) -> None:
    with db.connect(database) as conn:
        for _ in range(5):
            take(conn, [{"question_id": 1}], user="u1")
        take(conn, [{"question_id": 2}], user="u2")
        assert conn.execute("select max(learner_no) from learner").fetchone() == (2,)
        assert conn.execute("select max(item_no) from item").fetchone() == (2,)


@pytest.mark.parametrize("user", ["", " ", "x" * 201])
def test_a_learner_without_a_usable_id_is_refused(database: str, user: str) -> None:
    with db.connect(database) as conn, pytest.raises(psycopg.errors.CheckViolation, match="user_id_is_1_to_200"):
        take(conn, [], user=user)
