"""Bulk read and write: what goes out comes back, and what does not fit is named."""

from datetime import date

import numpy as np
import psycopg
import pytest

from thetaline import db
from thetaline.db import bulk
from thetaline.errors import DatabaseError

EVERY_KIND = """
select n::smallint, n::integer, n::bigint, (n / 4.0)::real, (n / 8.0)::double precision, n % 2 = 0,
       timestamptz '2025-11-02T04:15:23.000001+00' + n * interval '1 second', date '1999-12-31' + n,
       cast(md5(n::text) as uuid)
from generate_series(1, %(n)s::integer) as n
"""
KINDS = {
    "small": "int16", "whole": "int32", "large": "int64", "single": "float32", "double": "float64", "even": "bool",
    "at": "datetime64[us]", "day": "datetime64[D]", "key": "V16",
}  # fmt: skip


def test_every_kind_of_column_comes_back_exactly(database: str) -> None:
    found = bulk.read_columns(database, EVERY_KIND, KINDS, parameters={"n": 3})
    assert {name: str(values.dtype) for name, values in found.items()} == {**KINDS, "key": "|V16"}
    for name in ("small", "whole", "large"):
        assert found[name].tolist() == [1, 2, 3]
    assert found["single"].tolist() == [0.25, 0.5, 0.75]
    assert found["double"].tolist() == [0.125, 0.25, 0.375]
    assert found["even"].tolist() == [False, True, False]
    assert found["at"][0] == np.datetime64("2025-11-02T04:15:24.000001")
    assert found["day"].tolist() == [date(2000, 1, 1), date(2000, 1, 2), date(2000, 1, 3)]
    assert found["key"][0].tobytes().hex() == "c4ca4238a0b923820dcc509a6f75849b"  # md5 of "1"


def test_a_result_longer_than_the_buffer_is_read_whole_and_its_progress_told(database: str) -> None:
    told: list[int] = []
    n_rows = 700_000
    query = "select n from generate_series(1, %(n)s::integer) as n"
    found = bulk.read_columns(database, query, {"n": "int32"}, parameters={"n": n_rows}, progress=told.append)
    assert np.array_equal(found["n"], np.arange(1, n_rows + 1))
    assert told == sorted(told)
    assert told[-1] == n_rows


def test_an_empty_result_has_its_columns(database: str) -> None:
    found = bulk.read_columns(
        database, "select learner_no, learner_no = 1 from learner", {"who": "int32", "one": "bool"}
    )
    assert found["who"].shape == found["one"].shape == (0,)
    assert found["one"].dtype == bool


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("select null::integer, 1", "after row 0 are cut short|row 1 does not fit"),
        ("select case when n <> 5 then n end, 1 from generate_series(1, 9) as n", "row 5 does not fit"),
        ("select n::bigint, n from generate_series(1, 9) as n", "row 1 does not fit"),
        ("select n, n, n from generate_series(1, 9) as n", "row 1 does not fit"),
        ("select n, case when n < 9 then n end from generate_series(1, 9) as n", "after row 8 are cut short"),
    ],
)
def test_a_null_or_another_type_is_refused_with_its_row(database: str, query: str, row: str) -> None:
    with pytest.raises(DatabaseError, match=row):
        bulk.read_columns(database, query, {"first": "int32", "second": "int32"})


def test_a_statement_that_fails_is_a_database_error(database: str) -> None:
    with pytest.raises(DatabaseError, match="nowhere"):
        bulk.read_columns(database, "select 1 from nowhere", {"one": "int32"})


def test_parameters_of_libpq_do_not_disturb_the_bulk_read(database: str) -> None:
    url = f"{database}&connect_timeout=5&keepalives=1&application_name=me&options=-c%20work_mem%3D1MB"
    assert bulk.read_columns(url, "select 7", {"seven": "int32"})["seven"].tolist() == [7]


def test_copied_rows_keep_every_character_and_null(database: str) -> None:
    goals = ["tab\there", "back\\slash", "line\nbreak", "\\N", "a 한국어 b\r", ""]
    with db.connect(database) as conn:
        bulk.copy_rows(
            conn,
            "interest_goal",
            ["user_id", "topic_id", "target_level", "priority", "target_date"],
            ["u1", goals, np.array([0.1, np.nan, 1e-300, -2.5, 3.0, 1.0]), [1, None, 3, 4, 5, 6], date(2025, 11, 2)],
        )
        rows = conn.execute(
            "select user_id, topic_id, target_level, priority, target_date from interest_goal"
        ).fetchall()
    assert [row[1] for row in rows] == goals
    assert [row[2] for row in rows] == [0.1, None, 1e-300, -2.5, 3.0, 1.0]
    assert [row[3] for row in rows] == [1, None, 3, 4, 5, 6]
    assert {(row[0], row[4]) for row in rows} == {("u1", date(2025, 11, 2))}


def test_times_and_flags_are_copied_as_utc(database: str) -> None:
    at = np.array(["2025-11-02T04:15:23.000001", "NaT"], dtype="datetime64[us]")
    with db.connect(database) as conn:
        conn.execute("create temporary table seen (at timestamptz, flag boolean)")
        conn.execute("set timezone = 'Asia/Seoul'")
        bulk.copy_rows(conn, "seen", ["at", "flag"], [at, np.array([True, False])])
        bulk.copy_rows(conn, "seen", ["at", "flag"], [np.datetime64("2025-11-02T04:15:23"), [None]])
        rows = conn.execute("select extract(epoch from at)::text, flag from seen").fetchall()
    assert rows == [("1762056923.000001", True), (None, False), ("1762056923.000000", None)]


def test_columns_of_different_lengths_are_refused(database: str) -> None:
    with db.connect(database) as conn, pytest.raises(ValueError, match=r"lengths \[1, 2\]"):
        bulk.copy_rows(conn, "learner", ["user_id"] * 2, [["a"], ["b", "c"]])


def test_an_upsert_updates_what_is_there_and_inserts_the_rest(database: str) -> None:
    columns = ["user_id", "week_start", "kpis"]
    with db.connect(database) as conn:
        _own_key(conn)
        for users, kpis in ((["u1", "u2"], '{"a": 1}'), (["u2", "u3"], '{"a": 2}')):
            assert bulk.upsert_rows(conn, "weekly_kpi", columns, [users, "2025-11-03", kpis], key=columns[:2]) == 2
        rows = conn.execute("select user_id, kpis from weekly_kpi order by user_id").fetchall()
    assert rows == [("u1", {"a": 1}), ("u2", {"a": 2}), ("u3", {"a": 2})]


def test_an_upsert_that_keeps_leaves_the_old_row_alone(database: str) -> None:
    columns = ["user_id", "week_start", "kpis"]
    with db.connect(database) as conn:
        _own_key(conn)
        for kpis in ('{"a": 1}', '{"a": 2}'):
            bulk.upsert_rows(conn, "weekly_kpi", columns, [["u1"], "2025-11-03", kpis], key=columns[:2], keep=True)
        assert conn.execute("select kpis from weekly_kpi").fetchall() == [({"a": 1},)]


def _own_key(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    conn.execute("insert into kpi_key (key, writer) values ('a', 'us')")
    conn.execute("select set_config('thetaline.kpi_writer', 'us', true)")
