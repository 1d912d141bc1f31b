"""`thetaline import` from a file to the attempt view, on a real PostgreSQL."""

import gzip
import json
from datetime import UTC, datetime

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from thetaline.jobs.importing import main

HEADER = "user_id,item_id,is_correct,answered_at"
GOOD = f"""{HEADER}
u1,101,1,2025-11-01T10:00:00Z
u1,102,0,2025-11-01T10:01:00Z
u2,101,,2025-11-01T11:00:00Z
"""


@pytest.fixture
def load(database, monkeypatch, capsys, tmp_path):
    """Write `content` to a file, import it; returns exit code, summary, what was told."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)

    def load_(content, *options, name="answers.csv"):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        code = main([str(path), *options])
        out, err = capsys.readouterr()
        return code, json.loads(out.splitlines()[-1]) if out.strip() else {}, err

    return load_


@pytest.fixture
def rows(database):
    def rows_(query):
        with psycopg.connect(database) as conn:
            return conn.execute(query).fetchall()

    return rows_


def attempts(rows):
    return rows(
        "select user_id, coalesce(meta ->> 'external_id', item_id), correct from attempt "
        "join question on question.id::text = item_id order by 1, 2"
    )


def test_rows_become_sittings_questions_and_attempts(load, rows):
    code, summary, told = load(GOOD)
    assert code == 0
    counts = ("rows", "answers", "unanswered", "learners", "items", "sessions", "questions", "bad_rows")
    assert [summary[name] for name in counts] == [3, 3, 1, 2, 2, 2, 2, 0]
    assert "3 answers added" in told
    assert attempts(rows) == [("u1", "101", True), ("u1", "102", False), ("u2", "101", None)]
    assert rows("select id from question order by id") == [(101,), (102,)]
    assert rows("select status, score_raw, created_at from exam_results where user_id = 'u1'") == [
        ("completed", 1, datetime(2025, 11, 1, 10, 1, tzinfo=UTC))
    ]
    assert rows("select count(*) from session join exam_results using (session_id, user_id)") == [(2,)]


def test_the_same_file_twice_adds_nothing(load, rows):
    load(GOOD)
    before = rows("select * from exam_results order by id"), rows("select * from question order by id")
    code, summary, told = load(GOOD)
    assert (code, summary["answers"], summary["already_stored"]) == (0, 0, 3)
    assert "3 answers are stored already" in told
    assert (rows("select * from exam_results order by id"), rows("select * from question order by id")) == before


def test_a_longer_export_adds_only_what_is_new(load, rows):
    load(GOOD)
    code, summary, _ = load(GOOD + "u1,103,1,2025-11-01T10:02:00Z\n")
    assert (code, summary["answers"], summary["already_stored"]) == (0, 1, 3)
    assert len(attempts(rows)) == 4
    assert load(GOOD + "u1,103,1,2025-11-01T10:02:00Z\n")[1]["answers"] == 0


def test_a_repeated_question_later_is_another_attempt(load, rows):
    code, _, _ = load(GOOD + "u1,101,0,2025-11-01T10:05:00Z\n")
    assert code == 0
    assert rows("select attempt_no, correct from attempt where user_id = 'u1' and item_id = '101' order by 1") == [
        (1, True),
        (2, False),
    ]


def test_one_instant_in_two_sittings_is_two_answers_whenever_they_arrive(load, rows):
    head, answer = "user_id,item_id,is_correct,answered_at,session_id\n", "u1,101,{},2025-11-01,{}\n"
    load(head + answer.format(1, "morning"))
    code, summary, _ = load(head + answer.format(1, "morning") + answer.format(0, "evening"))
    assert (code, summary["answers"], summary["already_stored"]) == (0, 1, 1)
    assert rows("select count(*), count(distinct session_id) from attempt") == [(2, 2)]


def test_a_dry_run_reads_checks_counts_and_writes_nothing(load, rows):
    code, summary, told = load(GOOD, "--dry-run")
    assert (code, summary["status"], summary["answers"], summary["questions"]) == (0, "dry_run", 3, 2)
    assert "would be added" in told
    assert rows(
        "select (select count(*) from exam_results), (select count(*) from question), (select count(*) from learner)"
    ) == [(0, 0, 0)]
    assert rows("select is_called from question_id_seq") == [(False,)]


def test_codes_that_are_no_numbers_get_a_question_and_keep_their_code(load, rows):
    load(f"{HEADER}\nu1,q1_8,1,2025-11-01\nu1,7,1,2025-11-01\nu1,007,0,2025-11-01\n")
    assert attempts(rows) == [("u1", "007", False), ("u1", "7", True), ("u1", "q1_8", True)]
    ids = dict(rows("select coalesce(meta ->> 'external_id', 'none'), id from question"))
    assert ids["none"] == 7
    assert len(set(ids.values())) == 3
    assert set(rows("select item_id::bigint from attempt")) == {(number,) for number in ids.values()}
    assert load(f"{HEADER}\nu2,q1_8,1,2025-11-01\n")[1]["questions"] == 0


def test_a_number_whose_id_went_to_another_sources_code_gets_a_question_of_its_own(load, rows):
    load(f"{HEADER}\nu1,q1_8,1,2025-11-01\n")
    [(taken,)] = rows("select id from question")
    load(f"{HEADER}\nu2,{taken},0,2025-11-01\n")
    assert attempts(rows) == [("u1", "q1_8", True), ("u2", str(taken), False)]
    assert len(rows("select id from question")) == 2


@pytest.mark.parametrize("kind", ["csv.gz", "jsonl", "ndjson.gz", "parquet", "tsv", "csv with BOM and CRLF"])
def test_every_kind_of_file_gives_the_same_answers(load, rows, kind, tmp_path):
    records = [
        {"user_id": "u1", "item_id": 101, "is_correct": True, "answered_at": "2025-11-01T10:00:00Z"},
        {"user_id": "u1", "item_id": 102, "is_correct": False, "answered_at": "2025-11-01T10:01:00Z"},
        {"user_id": "u2", "item_id": 101, "is_correct": None, "answered_at": "2025-11-01T11:00:00Z"},
    ]
    lines = "\n".join(json.dumps(record) for record in records).encode()
    if kind == "parquet":
        table = pa.Table.from_pylist(records)
        times = pa.array(
            [datetime.fromisoformat(record["answered_at"]) for record in records], pa.timestamp("ms", "UTC")
        )
        pq.write_table(table.set_column(3, "answered_at", times), tmp_path / "answers.parquet")
        content = None
    else:
        content = {
            "csv.gz": gzip.compress(GOOD.encode()),
            "jsonl": lines,
            "ndjson.gz": gzip.compress(lines),
            "tsv": GOOD.replace(",", "\t"),
            "csv with BOM and CRLF": b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(),
        }[kind]
    code, summary, told = load(content, name=f"answers.{kind.split()[0]}")
    assert (code, summary.get("answers")) == (0, 3), told
    assert attempts(rows) == [("u1", "101", True), ("u1", "102", False), ("u2", "101", None)]


def test_partial_credit_is_right_at_or_above_the_threshold(load, rows):
    content = (
        "user_id,item_id,score,time\nu1,1,0.5,2025-11-01\nu1,2,0.49,2025-11-01\nu1,3,1,2025-11-01\nu1,4,,2025-11-01\n"
    )
    code, _, _ = load(content, "--score-threshold", "0.5")
    assert code == 0
    assert attempts(rows) == [("u1", "1", True), ("u1", "2", False), ("u1", "3", True), ("u1", "4", None)]


def test_partial_credit_without_a_threshold_is_refused(load):
    code, _, told = load("user_id,item_id,score,time\nu1,1,0.5,2025-11-01\n")
    assert code == 2
    assert "score is partial; give --score-threshold" in told


@pytest.mark.parametrize("threshold", ["0", "1.01", "-1", "nan"])
def test_a_threshold_outside_its_range_exits_2(load, threshold):
    code, _, told = load("user_id,item_id,score,time\nu1,1,1,2025-11-01\n", "--score-threshold", threshold)
    assert code == 2
    assert f"--score-threshold is {float(threshold)}" in told


def test_columns_of_any_name_are_named_by_options_and_everything_arrives(load, rows):
    content = "wer,was,gut,wann,thema,lauf,dauer,tipp\nanna,9,ja,2025-11-01 10:00+02:00,algebra,L1,1.5,2\n"
    content = content.replace("ja", "yes")
    options = (
        "--user wer --item was --correct gut --time wann --topic thema --session lauf --response-time dauer --hint tipp"
    )
    code, _, told = load(content, *options.split(), "--response-time-unit", "s")
    assert code == 0, told
    assert rows("select user_id, item_id, correct, started_at, topic_id, response_time_ms, hint_used from attempt") == [
        ("anna", "9", True, datetime(2025, 11, 1, 8, tzinfo=UTC), "algebra", 1500, True)
    ]
    assert rows("select topic_id from question") == [("algebra",)]


def test_a_file_without_dates_is_dated_by_the_values_of_a_column(load, rows):
    content = "exam,user_id,item_id,is_correct,last_ms\nmid,u1,1,1,60000\nfinal,u1,1,0,90000\n"
    options = "--time last_ms --dated-by exam --date-of mid=2025-03-03 --date-of final=2025-04-28"
    code, summary, told = load(content, *options.split())
    assert (code, summary.get("sessions")) == (0, 2), told
    assert rows("select started_at from attempt order by 1") == [
        (datetime(2025, 3, 3, 0, 1, tzinfo=UTC),),
        (datetime(2025, 4, 28, 0, 1, 30, tzinfo=UTC),),
    ]


def test_a_file_without_times_is_dated_by_one_day(load, rows):
    assert load("user_id,item_id,is_correct\nu1,1,1\n", "--on", "2025-03-03")[0] == 0
    assert rows("select started_at from attempt") == [(datetime(2025, 3, 3, tzinfo=UTC),)]


@pytest.mark.parametrize(
    ("setting", "options"), [("UTC", ("--time-zone", "Asia/Seoul")), ("Asia/Seoul", ())], ids=["option", "setting"]
)
def test_a_time_without_an_offset_is_what_the_clocks_of_its_zone_showed(load, rows, monkeypatch, setting, options):
    monkeypatch.setenv("THETALINE_TIME_ZONE", setting)
    content = f"{HEADER}\nu1,1,1,2025-11-03 08:30:00\nu1,2,1,2025-11-03T08:30:00Z\n"
    assert load(content, *options)[0] == 0
    assert rows("select item_id, started_at from attempt order by 1") == [
        ("1", datetime(2025, 11, 2, 23, 30, tzinfo=UTC)),
        ("2", datetime(2025, 11, 3, 8, 30, tzinfo=UTC)),
    ]


def test_a_given_day_begins_at_midnight_of_the_named_zone(load, rows):
    assert load("user_id,item_id,is_correct\nu1,1,1\n", "--on", "2025-03-03", "--time-zone", "Asia/Seoul")[0] == 0
    assert rows("select started_at from attempt") == [(datetime(2025, 3, 2, 15, tzinfo=UTC),)]


def test_answers_of_one_day_of_the_named_zone_are_one_session(load, rows):
    content = f"{HEADER}\nu1,1,1,2025-11-03T08:30:00\nu1,2,1,2025-11-03T10:30:00\nu1,3,1,2025-11-04T00:30:00\n"
    assert load(content, "--time-zone", "Asia/Seoul")[1]["sessions"] == 2
    assert rows("select result_json -> 'source' ->> 'session' from exam_results order by 1") == [
        ("2025-11-03",),
        ("2025-11-04",),
    ]


def test_of_a_time_that_clocks_show_twice_the_first_is_taken(load, rows):
    assert load(f"{HEADER}\nu1,1,1,2025-10-26 02:30:00\n", "--time-zone", "Europe/Berlin")[0] == 0
    assert rows("select started_at from attempt") == [(datetime(2025, 10, 26, 0, 30, tzinfo=UTC),)]


def test_a_time_that_clocks_jump_over_is_a_bad_row(load):
    content = f"{HEADER}\nu1,1,1,2025-03-30 02:30:00\nu1,2,1,2025-03-30 02:30:00+00:00\n"
    code, _, told = load(content, "--time-zone", "Europe/Berlin")
    assert code == 2
    assert "line 2: time does not exist in Europe/Berlin" in told
    assert "line 3" not in told


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_a_time_that_counts_since_1970_is_read_in_its_unit(load, rows, unit):
    count = 1_730_455_200 * {"s": 1, "ms": 1_000, "us": 1_000_000}[unit]
    assert load(f"user_id,item_id,is_correct,time\nu1,1,1,{count}\n", "--time-unit", unit)[0] == 0
    assert rows("select started_at from attempt") == [(datetime(2024, 11, 1, 10, tzinfo=UTC),)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--user", "nobody"), "no column for --user nobody; its columns are: user_id, item_id"),
        (("--date-of", "mid=2025-01-01"), "--date-of needs --dated-by"),
        (("--dated-by", "item_id"), "needs --date-of VALUE=YYYY-MM-DD"),
        (("--on", "2025-02-30"), "'2025-02-30' is no date"),
        (("--time-zone", "Asia/Soul"), "--time-zone 'Asia/Soul' is no time zone; give an IANA name"),
        (("--time-zone", "America"), "--time-zone 'America' is no time zone"),
        (("--dated-by", "item_id", "--date-of", "mid"), "must be VALUE=YYYY-MM-DD"),
        (("--on", "2025-01-01", "--dated-by", "item_id", "--date-of", "1=2025-01-01"), "use one of them"),
        (("--skip-bad", "answers.csv"), "is the file that is imported"),
        (("--skip-bad", "no/such/folder/bad.csv"), "cannot be written"),
    ],
)
def test_options_that_make_no_sense_exit_2(load, options, says):
    code, _, told = load(GOOD, *options)
    assert code == 2
    assert says in told


def test_a_missing_table_is_told_with_what_to_do(load, monkeypatch, empty_database):
    monkeypatch.setenv("DATABASE_URL", empty_database)
    code, _, told = load(GOOD)
    assert code == 1
    assert "thetaline db migrate" in told


def test_an_unreachable_database_is_told(load, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/x")
    code, _, told = load(GOOD)
    assert code == 1
    assert "127.0.0.1" in told
    assert "hunter2" not in told


def test_the_real_exams_arrive_complete(load, rows, shared):
    path = shared / "data" / "cs_exams.csv.gz"
    options = "--time last_ms --time-unit ms --dated-by exam --date-of midterm=2025-08-04 --date-of final=2025-09-29"
    code, summary, told = load(path.read_bytes(), *options.split(), "--score-threshold", "0.8", name="exams.csv.gz")
    assert (code, summary.get("rows"), summary.get("answers"), summary.get("items")) == (0, 24_137, 24_137, 282), told
    assert rows(
        "select started_at::date::text, count(distinct user_id), count(distinct item_id)"
        " from attempt group by 1 order by 1"
    ) == [
        ("2025-08-04", 1_575, 154),
        ("2025-09-29", 1_639, 128),
    ]
    assert load(path.read_bytes(), *options.split(), "--score-threshold", "0.8", name="exams.csv.gz")[1]["answers"] == 0
