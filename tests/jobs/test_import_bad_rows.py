"""What cannot be taken is named by line and reason, and the tables stay as they were."""

import csv
import gzip
import json
from urllib.parse import urlsplit

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg import sql

from thetaline.jobs.importing import main

HEADER = "user_id,item_id,is_correct,answered_at"
FINE = "u1,101,1,2025-11-01T10:00:00Z"


@pytest.fixture(scope="module")
def untouched(database_server, database_template):
    """One database for all the imports that must write nothing; looked at after each."""
    name = sql.Identifier("thetaline_untouched")
    with psycopg.connect(database_server, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {}").format(name))
        admin.execute(sql.SQL("create database {} template {}").format(name, sql.Identifier(database_template)))
        yield urlsplit(database_server)._replace(path="/thetaline_untouched").geturl()
        admin.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
def refuse(untouched, monkeypatch, capsys, tmp_path):
    """Import what must be refused; returns exit code and what was told, after a look at the tables."""
    monkeypatch.setenv("DATABASE_URL", untouched)

    def refuse_(content, *options, name="answers.csv"):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        code = main([str(path), *options])
        told = capsys.readouterr().err
        with psycopg.connect(untouched) as conn:
            counts = "select (select count(*) from exam_results) + (select count(*) from question)"
            assert conn.execute(counts).fetchone() == (0,)
        assert "Traceback" not in told
        return code, told

    return refuse_


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",101,1,2025-11-01", "no user"),
        ("u1,,1,2025-11-01", "no item"),
        ("u1,101,maybe,2025-11-01", "answer is neither true nor false"),
        ("u1,101,NaN,2025-11-01", "answer is neither true nor false"),
        ("u1,101,-1,2025-11-01", "answer is neither true nor false"),
        ("u1,101,0.5,2025-11-01", "answer is neither true nor false"),
        ("u1,101,1,", "no time"),
        ("u1,101,1,Martinmas", "time is not ISO 8601"),
        ("u1,101,1,2025-11-31", "time is not ISO 8601"),
        ("u1,101,1,0001-01-02T00:00:00", "time lies before 1970"),
        ("u1,101,1,17304", "time is a plain number; say what it counts by --time-unit"),
        ("u1,101,1,2999-01-01", "time lies in the future"),
        ("u1,101,1,1969-12-31", "time lies before 1970"),
        ("u1,101,1,0001-01-01T00:00:00+14:00", "time is not ISO 8601"),
        ("u1,101,1", "number of fields differs from the header's"),
        ("u1,101,1,2025-11-01,more", "number of fields differs from the header's"),
        ('u1,"101"x,1,2025-11-01', "not CSV (',' expected after '\"')"),
        ("u1," + "9" * 100_000 + ",1,2025-11-01", "item is longer than 200 characters"),
        ("x" * 100_000 + ",101,1,2025-11-01", "user is longer than 200 characters"),
        ("u\0,101,1,2025-11-01", "user holds a NUL byte"),
        (" u1,101,1,2025-11-01", "user begins or ends with a blank"),
        ("   ,101,1,2025-11-01", "user begins or ends with a blank"),
    ],
)
def test_a_bad_row_stops_the_import_and_is_named_by_its_line(refuse, row, reason):
    code, told = refuse(f"{HEADER}\n{FINE}\n{row}\n")
    assert code == 2
    assert f"line 3: {reason}" in told
    assert f"1 × {reason}" in told
    assert "nothing was written" in told
    assert max(map(len, told.splitlines())) < 400


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        ("NaN", "score is no number"),
        ("inf", "score is no number"),
        ("many", "score is no number"),
        ("1_0", "score is no number"),
        ("-0.1", "score is outside 0..1"),
        ("1.0000001", "score is outside 0..1"),
        ("80", "score is outside 0..1"),
    ],
)
def test_a_bad_score_is_named(refuse, score, reason):
    code, told = refuse(f"user_id,item_id,score,time\nu1,1,{score},2025-11-01\n", "--score-threshold", "0.8")
    assert code == 2
    assert f"line 2: {reason}" in told


@pytest.mark.parametrize(
    ("columns", "values", "reason"),
    [
        ("response_time_ms", "quick", "response time is no number"),
        ("hint_used", "some", "hint is neither true, false nor a count"),
        ("topic", "t" * 201, "topic is longer than 200 characters"),
        ("session_id", "s" * 201, "session is longer than 200 characters"),
    ],
)
def test_a_bad_extra_is_named(refuse, columns, values, reason):
    code, told = refuse(f"{HEADER},{columns}\n{FINE},{values}\n")
    assert code == 2
    assert f"line 2: {reason}" in told


def test_a_negative_time_and_an_unknown_exam_are_named(refuse):
    options = ["--time", "at", "--dated-by", "exam", "--date-of", "mid=2025-01-01"]
    code, told = refuse("exam,user_id,item_id,is_correct,at\nmid,u1,1,1,-5\nfinal,u1,1,1,5\n", *options)
    assert code == 2
    assert "line 2: time is negative" in told
    assert "line 3: no date is given for the row (--date-of)" in told


def test_a_duplicate_answer_is_named_with_its_first_line(refuse):
    code, told = refuse(f"{HEADER}\n{FINE}\n{FINE}\n")
    assert code == 2
    assert "line 3: the same answer as line 2" in told
    assert "line 2:" not in told.replace("as line 2", "")


def test_contradictory_answers_are_all_named(refuse):
    code, told = refuse(f"{HEADER}\n{FINE}\n{FINE.replace(',1,2025', ',0,2025')}\n")
    assert code == 2
    assert "line 2: contradictory answers" in told
    assert "line 3: contradictory answers" in told


def test_lines_count_the_lines_of_the_file_whatever_the_fields_hold(refuse):
    code, told = refuse(f'{HEADER}\n\n"u\n1",101,1,2025-11-01\n\nu2,102,maybe,2025-11-01\n')
    assert code == 2
    assert "line 6: answer is neither true nor false" in told


def test_the_first_twenty_rows_are_shown_and_all_are_counted(refuse):
    bad = "".join(f"u{n},101,maybe,2025-11-01\n" for n in range(30)) + "u1,101,1,\n" * 5
    code, told = refuse(f"{HEADER}\n{bad}")
    assert code == 2
    assert told.count("  line ") == 20
    assert "35 rows cannot be taken" in told
    assert "… and 15 more" in told
    assert "30 × answer is neither" in told
    assert "5 × no time" in told


def test_a_runaway_quote_does_not_swallow_the_file(refuse):
    code, told = refuse(f'{HEADER}\nu1,"101,1,2025-11-01\n' + FINE + "\n")
    assert code == 2
    assert "line 2: not CSV (unexpected end of data)" in told


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "a.csv", "the file is empty"),
        (b"\n", "a.csv", "no header line"),
        (HEADER.encode(), "a.csv", "the file has no rows"),
        (HEADER.encode() + b"\n\n\n", "a.csv", "the file has no rows"),
        (b"user_id,user_id,item_id,is_correct\n", "a.csv", "the header names user_id more than once"),
        (b"name,score\nx,1\n", "a.csv", "no column that is known as --user, --item"),
        (b"user_id,item_id\nx,1\n", "a.csv", "no column that is known as --correct (or --score)"),
        (b"user_id,item_id,is_correct\nx,1,1\n", "a.csv", "no column says when an answer was given"),
        (f"{HEADER}\nu\xe9,1,1,2025-11-01\n".encode("latin-1"), "a.csv", "not UTF-8 text (byte 0xe9)"),
        (f"{HEADER}\n{FINE}\n".encode("utf-16"), "a.csv", "not UTF-8 text (byte 0xff)"),
        (gzip.compress(f"{HEADER}\n{FINE}\n".encode() * 99)[:-20], "a.csv.gz", "the compressed file is truncated"),
        (b"\x1f\x8b" + b"no gzip at all, but long", "a.csv.gz", "broken gzip data"),
        (FINE.encode(), "a.csv.gz", "broken gzip data"),
        (b"PAR1 not really", "a.parquet", "no readable Parquet file"),
        (b"x", "a.xlsx", "unknown kind of file"),
        (None, "absent.csv", "there is no such file"),
        (b"[1]\n", "a.jsonl", "no line is an object with named values; line 1: not a JSON object"),
        (b'{"user": 1\n', "a.jsonl", "line 1: not JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(refuse, content, name, says):
    code, told = refuse(content, name=name)
    assert code == 2
    assert says in told
    assert name in told or "--" in told


def test_a_truncated_file_of_many_batches_leaves_nothing(refuse):
    rows = "".join(f"u{n},{n % 50},1,2025-11-01\n" for n in range(140_000))
    code, told = refuse(gzip.compress(f"{HEADER}\n{rows}".encode(), 1)[:-9], name="a.csv.gz")
    assert code == 2
    assert "truncated" in told


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{broken", "not JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"user_id": {"a": 1}, "item_id": 1, "is_correct": true}', "user_id holds a list or an object"),
        ('{"user_id": "\\ud800", "item_id": 1, "is_correct": true}', "broken Unicode escape"),
        ('{"user_id": "u", "item_id": 1, "is_correct": NaN, "answered_at": "2025-11-01"}', "answer is neither"),
        ('{"user_id": "u", "item_id": 1, "answered_at": "2025-11-01T25:00"}', "time is not ISO 8601"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_of_json_is_named(refuse, line, reason):
    fine = '{"user_id": "u1", "item_id": 1, "is_correct": true, "answered_at": "2025-11-01"}'
    code, told = refuse(f"{fine}\n\n{line}\n", name="a.jsonl")
    assert code == 2
    assert f"line 3: {reason}" in told


@pytest.mark.parametrize(
    ("column", "values"),
    [("user_id", [["u1"]]), ("item_id", [{"code": 1}]), ("is_correct", [b"\xff"]), ("answered_at", [b"2025"])],
)
def test_a_parquet_column_of_a_wrong_type_is_named(refuse, tmp_path, column, values):
    columns = {"user_id": ["u1"], "item_id": [1], "is_correct": [True], "answered_at": ["2025-11-01"], column: values}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    code, told = refuse(None, name="a.parquet")
    assert code == 2
    assert f"column {column} holds" in told


def test_an_empty_parquet_file_is_told(refuse, tmp_path):
    pq.write_table(pa.table({"user_id": pa.array([], pa.string())}), tmp_path / "a.parquet")
    assert refuse(None, name="a.parquet") == (2, f"error: {tmp_path / 'a.parquet'}: the file has no rows\n")


@pytest.fixture
def load(database, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("DATABASE_URL", database)

    def load_(content, *options):
        (tmp_path / "answers.csv").write_text(content)
        code = main([str(tmp_path / "answers.csv"), *options])
        return code, json.loads(capsys.readouterr().out)

    return load_


def test_bad_rows_are_set_aside_with_line_reason_and_values_and_the_rest_is_loaded(load, database, tmp_path):
    aside = tmp_path / "bad.csv"
    content = f"{HEADER}\n{FINE}\nu2,101,maybe,2025-11-01\nu3\n{FINE}\nu4,1,1,2025-11-01\nu4,1,0,2025-11-01\n"
    code, summary = load(content, "--skip-bad", str(aside))
    assert (code, summary["answers"], summary["bad_rows"]) == (0, 1, 5)
    with aside.open() as file:
        assert list(csv.reader(file)) == [
            ["line", "reason", "user_id", "item_id", "is_correct", "answered_at"],
            ["3", "answer is neither true nor false", "u2", "101", "maybe", "2025-11-01"],
            ["4", "number of fields differs from the header's (1, not 4)", "u3"],
            ["5", "the same answer as line 2", "u1", "101", "1", "2025-11-01T10:00:00+00:00"],
            ["6", "contradictory answers to one question at one instant", "u4", "1", "1", "2025-11-01T00:00:00+00:00"],
            ["7", "contradictory answers to one question at one instant", "u4", "1", "0", "2025-11-01T00:00:00+00:00"],
        ]
    with psycopg.connect(database) as conn:
        assert conn.execute("select user_id, item_id from attempt").fetchall() == [("u1", "101")]


def test_an_answer_that_contradicts_a_stored_one_is_named(load, tmp_path):
    assert load(f"{HEADER}\n{FINE}\n")[0] == 0
    other = FINE.replace(",1,2025", ",0,2025")
    code, summary = load(f"{HEADER}\n{other}\n")
    assert code == 2
    assert "line 2: contradicts the stored answer" in summary["error"]
    assert load(f"{HEADER}\n{other}\n", "--skip-bad", str(tmp_path / "bad.csv"))[1]["answers"] == 0


def test_a_failed_import_leaves_no_file_of_bad_rows(load, tmp_path):
    code, _ = load("user_id,item_id,is_correct,answered_at\n", "--skip-bad", str(tmp_path / "bad.csv"))
    assert code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv"]


def test_a_dry_run_sets_nothing_aside_and_leaves_what_was(load, tmp_path):
    (tmp_path / "bad.csv").write_text("of yesterday")
    code, summary = load(f"{HEADER}\n{FINE}\nu3\n", "--skip-bad", str(tmp_path / "bad.csv"), "--dry-run")
    assert (code, summary["answers"], summary["bad_rows"]) == (0, 1, 1)
    assert (tmp_path / "bad.csv").read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "bad.csv"]
