"""Files as they come: units, words, times and shapes are read for what they are, or asked for."""

import unicodedata
from datetime import UTC, datetime

import pytest

HEADER = "user_id,item_id,is_correct,answered_at"


@pytest.mark.parametrize(
    ("column", "value", "options", "ms"),
    [
        ("seconds", "64", ("--response-time", "seconds"), 64_000),
        ("sec", "6.4", ("--response-time", "sec"), 6_400),
        ("Duration (sec)", "64", (), 64_000),
        ("elapsedMs", "6400", ("--response-time", "elapsedMs"), 6_400),
        ("ms_first_response", "6400", ("--response-time", "ms_first_response"), 6_400),
        ("Minutes", "2", ("--response-time", "Minutes"), 120_000),
        ("took", "64", ("--response-time", "took", "--response-time-unit", "s"), 64_000),
        ("took", "PT1M4.5S", ("--response-time", "took", "--response-time-unit", "s"), 64_500),
        ("took", "1:04", ("--response-time", "took", "--response-time-unit", "s"), 64_000),
    ],
)
def test_the_unit_of_the_time_taken_is_its_names_or_an_options(load_answers, attempts, column, value, options, ms):
    code, summary, told = load_answers(f"{HEADER},{column}\nu1,1,1,2025-11-01,{value}\n", *options)
    assert code == 0, told
    assert attempts("response_time_ms") == [(ms,)]
    assert column in summary["columns"]["response-time"]


def test_a_time_taken_without_a_unit_is_asked_for(load_answers):
    code, _, told = load_answers(f"{HEADER},took\nu1,1,1,2025-11-01,64\n", "--response-time", "took")
    assert code == 2
    assert "--response-time took: the name tells no unit; say what its numbers count by --response-time-unit" in told


def test_the_report_tells_roles_columns_units_what_is_not_read_and_what_comes_next(load_answers):
    code, _, told = load_answers(
        "User ID;question;correct;timestamp;Duration (sec);class\nu1;1;1;1761991200;64;4b\n", name="a.csv"
    )
    assert code == 0
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert lines[:7] == [
        "a.csv: semicolon-separated",
        "user User ID",
        "item question",
        "correct correct",
        "time timestamp (seconds since 1970)",
        "response-time Duration (sec) (seconds)",
        "not read class",
    ]
    assert lines[-1] == "next: thetaline calibrate --date 2025-11-01"
    assert "warning" not in told


@pytest.mark.parametrize(("ms", "warns"), [(64, True), (64_000, False), (64_000_000, True)])
def test_an_implausible_median_of_the_time_taken_is_told(load_answers, ms, warns):
    told = load_answers(f"{HEADER},response_time_ms\nu1,1,1,2025-11-01,{ms}\n")[2]
    assert (f"the median time taken is {ms / 1000:g} s; is its unit right" in told) == warns


def test_a_missing_negative_or_endless_time_taken_costs_the_time_and_not_the_answer(load_answers, attempts):
    values = ["-5", "9999999999", "NA", "", ".", "700"]
    rows = "".join(f"u1,{k},1,2025-11-01,{value}\n" for k, value in enumerate(values, start=1))
    code, summary, told = load_answers(f"{HEADER},response_time_ms\n{rows}")
    assert (code, summary["answers"]) == (0, 6)
    assert [ms for (ms,) in attempts("response_time_ms")] == [None] * 5 + [700]
    assert "1 × response time is negative: taken as unknown, the answer counts" in told
    assert "1 × response time is beyond 24 days" in told


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("correct", "incorrect"),
        ("CORRECT", "HINT"),
        ("Right", "Wrong"),
        ("T", "F"),
        ("V", "F"),
        ("맞음", "틀림"),
        ("정답", "오답"),
        ("vrai", "faux"),
        ("richtig", "falsch"),
    ],
)
def test_words_for_right_and_wrong_are_known(load_answers, attempts, right, wrong):
    assert load_answers(f"{HEADER}\nu1,1,{right},2025-11-01\nu1,2,{wrong},2025-11-01\n")[0] == 0
    assert attempts("correct") == [(True,), (False,)]


def test_other_words_are_given_their_meaning(load_answers, attempts):
    words = ["richtich", "knapp", "egal", "NA", "-9", "HINT"]
    rows = "".join(f"u1,{k},{word},2025-11-01\n" for k, word in enumerate(words, start=1))
    options = "--map richtich=right --map KNAPP=wrong --map egal=missing --missing NA,. --missing -9 --map hint=missing"
    assert load_answers(f"{HEADER}\n{rows}", *options.split())[0] == 0
    assert attempts("correct") == [(True,), (False,), (None,), (None,), (None,), (None,)]


def test_only_the_rows_that_are_asked_for_count(load_answers, attempts):
    content = (
        f"{HEADER},original,kind\nu1,1,1,2025-11-01,1,main\nu1,2,x,2025-11-01,0,main\n"
        "u1,3,1,2025-11-01,1.0,hint\nu1,4,0,2025-11-01,1.0,extra\n"
    )
    code, summary, told = load_answers(content, "--filter", "original=1", "--filter", "kind!=hint|trial")
    assert (code, summary["answers"], summary["filtered_rows"]) == (0, 2, 2), told
    assert attempts("code") == [("1",), ("4",)]
    assert "2 rows left aside by --filter" in told


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("10/14/05 14:51", "2005-10-14T14:51:00"),
        ("14/10/2005 14:51:30", "2005-10-14T14:51:30"),
        ("2026-11-01 10:00:00 UTC", "2026-11-01T10:00:00"),
        ("1 Nov 2026 10:00", "2026-11-01T10:00:00"),
        ("1 November 2026  10:00 PM", "2026-11-01T22:00:00"),
        ("Nov 1, 2026 12:05 AM", "2026-11-01T00:05:00"),
        ("Sun, 01 Nov 2026 10:00:00 +0900", "2026-11-01T01:00:00"),
        ("01.11.2026 10:00", "2026-11-01T10:00:00"),
        ("2026/11/01 10:00:00.250 EST", "2026-11-01T15:00:00.250000"),
        ("2026. 11. 1. 10:00", "2026-11-01T10:00:00"),
        ("1793527200", "2026-11-01T10:00:00"),
        ("1793527200000", "2026-11-01T10:00:00"),
    ],
)
def test_times_are_read_as_they_are_written(load_answers, attempts, text, at):
    code, _, told = load_answers(f'{HEADER}\nu1,1,1,"{text}"\n')
    assert code == 0, told
    assert attempts("started_at") == [(datetime.fromisoformat(f"{at}+00:00"),)]


def test_day_and_month_that_cannot_be_told_apart_are_asked_for(load_answers, attempts):
    content = f"{HEADER}\nu1,1,1,10/11/05 14:51\nu1,2,1,09/11/05 14:51\n"
    code, _, told = load_answers(content)
    assert code == 2
    assert "'10/11/05 14:51' may have the day or the month first; say --time-format" in told
    assert load_answers(content, "--time-format", "%d/%m/%y %H:%M")[0] == 0
    assert attempts("started_at")[0] == (datetime(2005, 11, 9, 14, 51, tzinfo=UTC),)


def test_a_column_has_the_time_zone_of_each_row(load_answers, attempts):
    content = (
        f"{HEADER},tz\nu1,1,1,2026-11-02 09:00,Asia/Seoul\nu2,1,1,2026-11-02 09:00,US/Eastern\n"
        "u3,1,1,2026-11-02 09:00,\nu4,1,1,2026-11-02 09:00,-03:30\n"
    )
    assert load_answers(content, "--zone", "tz", "--time-zone", "Europe/Berlin")[0] == 0
    assert [at.hour * 60 + at.minute for (at,) in attempts("started_at")] == [0, 14 * 60, 8 * 60, 12 * 60 + 30]
    code, _, told = load_answers(f"{HEADER},tz\nu5,1,1,2026-11-02 09:00,Mars\n", "--zone", "tz")
    assert code == 2
    assert "line 2: time zone is not known: 'Mars'" in told


@pytest.mark.parametrize(("delimiter", "name"), [("\t", "tab"), (";", "semicolon"), ("|", "bar")])
def test_what_stands_between_the_fields_is_found_and_told(load_answers, attempts, delimiter, name):
    content = f"{HEADER}\nu1,1,1,2025-11-01\n".replace(",", delimiter)
    code, _, told = load_answers(content)
    assert code == 0
    assert told.startswith(f"answers.csv: {name}-separated\n")
    assert attempts("user_id, code") == [("u1", "1")]


def test_a_wide_file_is_a_row_a_learner_and_a_column_an_item(load_answers, attempts):
    content = "student_id,class,Q1,Q2,Q3\nanna,4b,1,0,\nben,4b,,NA,1\n"
    code, summary, told = load_answers(
        content, "--wide", "--items", "Q*", "--missing", "NA", "--on", "2025-11-01", name="grades.csv"
    )
    assert (code, summary["answers"], summary["empty_cells"]) == (0, 3, 3), told
    assert attempts("user_id, code, correct") == [("anna", "Q1", True), ("anna", "Q2", False), ("ben", "Q3", True)]
    assert "wide: 3 item columns (Q1 … Q3)" in told


def test_a_matrix_as_r_writes_it_has_row_names_or_row_numbers_for_learners(load_answers, attempts):
    options = ("--wide", "--missing", "NA", "--on", "2025-11-01")
    assert load_answers('"","i1","i2"\n"s7",1,NA\n"s8",0,1\n', *options)[0] == 0
    assert attempts("user_id, code") == [("s7", "i1"), ("s8", "i1"), ("s8", "i2")]
    assert load_answers("i3,i4\n1,0\n0,1\n", *options)[0] == 0
    assert attempts("user_id, code")[:4] == [("1", "i3"), ("1", "i4"), ("2", "i3"), ("2", "i4")]


def test_rows_without_learners_are_not_the_learners_of_another_file(load_answers, attempts):
    options = ("--wide", "--on", "2025-11-01")
    assert load_answers("i1,i2\n1,0\n0,1\n", *options, name="a.csv")[0] == 0
    assert load_answers("i1,i2\n1,0\n0,1\n1,1\n", *options, name="a.csv")[0] == 0
    code, _, told = load_answers("i3,i4\n1,0\n0,1\n", *options, name="b.csv")
    assert code == 2
    assert "learners are only numbers of rows, and 2 of them, first 1, are known from a.csv; say which column" in told
    assert {user for (user,) in attempts("user_id")} == {"1", "2", "3"}


def test_columns_of_one_name_in_two_files_are_told_and_may_be_set_apart(load_answers, attempts):
    options = ("--wide", "--on", "2025-11-01")
    told = load_answers("student,Q1,Q2\nu1,1,0\n", *options, name="midterm.csv")[2]
    assert "are known from" not in told
    told = load_answers("student,Q2,Q3\nu2,1,0\n", *options, "--dry-run", name="final.csv")[2]
    assert "1 of the questions, first Q2, are known from midterm.csv: columns of one name are one question" in told
    told = load_answers("student,Q2,Q3\nu2,1,0\n", *options, "--item-prefix", "final", name="final.csv")[2]
    assert "are known from" not in told
    assert attempts("code") == [("Q1",), ("Q2",), ("final|Q2",), ("final|Q3",)]


def test_a_prefix_of_items_is_no_part_of_the_keys_codes(load_answers, attempts, tmp_path):
    (tmp_path / "key.csv").write_text("item,key\nQ1,A\n")
    options = ("--wide", "--key", "key.csv", "--on", "2025-11-01", "--item-prefix", "mid|term")
    assert load_answers("student,Q1\nu1,A\n", *options)[0] == 0
    assert attempts("code, correct") == [("mid\\|term|Q1", True)]


def test_a_table_as_r_writes_it_has_blanks_between_its_fields(load_answers, attempts):
    code, _, told = load_answers('"i1" "i 2"\n"s7" 1 NA\n"s8" 0 1\n', "--wide", "--missing", "NA", "--on", "2025-11-01")
    assert code == 0, told
    assert told.startswith("answers.csv: blank-separated, wide: 2 item columns (i1 … i 2)")
    assert attempts("user_id, code, correct") == [("s7", "i1", True), ("s8", "i1", False), ("s8", "i 2", True)]


def test_a_gradebook_may_have_names_for_learners(load_answers, attempts):
    assert load_answers("Name,Q1,Q2\nAnn Lee,1,0\n", "--wide", "--on", "2025-11-01")[0] == 0
    assert attempts("user_id, code") == [("Ann Lee", "Q1"), ("Ann Lee", "Q2")]
    code, _, told = load_answers("student_id,class,Q1\n1,4b,1\n", "--wide", "--on", "2025-11-01")
    assert code == 2
    assert "answer is neither true nor false   [student_id 1, (column) class, (cell) 4b]" in told


def test_a_file_that_may_be_wide_is_told_how_to_say_so(load_answers):
    code, _, told = load_answers("user_id,Q1,Q2\nanna,1,0\n", "--on", "2025-11-01")
    assert code == 2
    assert "say --wide where a row is a learner and a column an item" in told


def test_an_item_may_be_told_by_several_columns(load_answers, attempts):
    content = "user_id,Problem Name,step,correct,time\nu1,P|1,a,1,2025-11-01\nu1,P,1|a,0,2025-11-01\n"
    assert load_answers(content, "--item", "problem name", "--item", "step")[0] == 0
    assert sorted(attempts("code")) == [("P\\|1|a",), ("P|1\\|a",)]


def test_rows_that_differ_in_their_topic_alone_are_one_answer_with_several_topics(load_answers, attempts, rows):
    content = (
        f"{HEADER},topic\nu1,1,1,2025-11-01T10:00Z,graphs\nu1,1,1,2025-11-01T10:00Z,algebra\n"
        "u1,2,1,2025-11-01T10:01Z,algebra\n"
    )
    code, summary, told = load_answers(content)
    assert (code, summary["answers"], summary["with_several_topics"]) == (0, 2, 1), told
    assert attempts("code, topic_id") == [("1", "graphs"), ("2", "algebra")]
    assert rows("select result_json #>> '{questions,0,topics}' from exam_results") == [('["graphs", "algebra"]',)]
    assert load_answers(content)[1]["answers"] == 0


def test_topics_may_stand_in_several_columns_or_in_one_with_a_separator(load_answers, rows):
    content = 'user_id,item_id,correct,time,a,b\nu1,1,1,2025-11-01,x; y,"q ""1"""\nu1,2,1,2025-11-01,z,\n'
    assert load_answers(content, "--topic", "a", "--topic", "b", "--topic-separator", ";")[0] == 0
    assert rows(
        "select one ->> 'topic', one ->> 'topics' from exam_results, jsonb_array_elements(result_json -> 'questions') "
        "as one order by one ->> 'question_id'"
    ) == [("x", '["x", "y", "q \\"1\\""]'), ("z", None)]


def test_equal_rows_of_one_topic_are_still_the_same_answer_twice(load_answers):
    code, summary, told = load_answers(f"{HEADER},topic\n" + "u1,1,1,2025-11-01,graphs\n" * 40)
    assert code == 2
    assert "39 × the same answer as an earlier line (lines 3, 4, 5, 6, 7, …)" in told
    assert len(summary["error"]) < 5000


def test_a_name_that_the_header_has_twice_matters_only_where_it_is_used(load_answers, attempts):
    content = "note, User_ID ,item_id,is_correct,answered_at,note\nx,u1,1,1,2025-11-01,y\n"
    assert load_answers(content)[0] == 0
    assert attempts("user_id, code") == [("u1", "1")]
    code, _, told = load_answers(content, "--topic", "note", "--session", "note")
    assert code == 2
    assert "the header names note more than once" in told


def test_without_times_the_order_of_the_rows_is_the_order_of_the_answers(load_answers, attempts):
    content = "user_id,item_id,is_correct\nu1,9,0\nu1,2,1\nu1,9,1\n"
    assert load_answers(content, "--on", "2025-03-03")[0] == 0
    assert attempts("code, correct, attempt_no") == [("9", False, 1), ("2", True, 1), ("9", True, 2)]
    assert load_answers(content, "--on", "2025-03-03")[1]["answers"] == 0


def test_a_column_may_order_the_rows_and_the_attempts(load_answers, attempts):
    content = "user_id,item_id,is_correct,nr\nu1,9,1,20\nu1,2,1,15\nu1,9,0,3\n"
    assert load_answers(content, "--on", "2025-03-03", "--order", "nr")[0] == 0
    assert attempts("code, correct, attempt_no") == [("9", False, 1), ("2", True, 1), ("9", True, 2)]
    content = f"{HEADER},try\nu2,5,1,2025-03-03,2\nu2,5,0,2025-03-03,1\n"
    assert load_answers(content, "--attempt", "try")[0] == 0
    assert attempts("code, correct, attempt_no")[-2:] == [("5", False, 1), ("5", True, 2)]


def test_a_row_tells_all_its_faults(load_answers):
    code, _, told = load_answers(f"{HEADER}\n,1,maybe,yesterday\n")
    assert code == 2
    assert "line 2: no user; answer is neither true nor false; time is not ISO 8601" in told
    assert "[user_id (empty), item_id 1, is_correct maybe, answered_at yesterday]" in told
    assert "1 × answer is neither true nor false (line 2); say what its words mean by --map" in told


def test_responses_are_scored_by_a_key(load_answers, attempts, rows, tmp_path):
    (tmp_path / "key.csv").write_text("item,key\nQ1,A\nQ2,B|D\n")
    content = (
        "user_id,item_id,response,time\nu1,Q1,a,2025-11-01\nu1,Q2,D,2025-11-01\nu1,Q2,A,2025-11-02\nu1,Q1,,2025-11-02\n"
    )
    assert load_answers(content, "--key", "key.csv")[0] == 0
    assert attempts("code, correct") == [("Q1", True), ("Q2", True), ("Q1", None), ("Q2", False)]
    stored = "select one ->> 'response' from exam_results, jsonb_array_elements(result_json -> 'questions') as one"
    assert sorted(rows(stored), key=repr) == [("A",), ("D",), ("a",), (None,)]
    wide = "student,Q1,Q2\nu2,A,C\n"
    assert load_answers(wide, "--wide", "--key", "key.csv", "--on", "2025-11-03")[0] == 0
    assert attempts("code, correct")[-2:] == [("Q1", True), ("Q2", False)]
    code, _, told = load_answers(content.replace("Q2", "Q3"), "--key", "key.csv")
    assert code == 2
    assert "2 × the key has no such item (lines 3, 4); add it to the --key file" in told


def test_a_key_may_give_partial_credit(load_answers, attempts, tmp_path):
    (tmp_path / "key.csv").write_text("item;response;score\nQ1;A;1\nQ1;B;0,5\n".replace("0,5", "0.5"))
    content = "user_id,item_id,response,time\nu1,Q1,A,2025-11-01\nu2,Q1,B,2025-11-01\nu3,Q1,C,2025-11-01\n"
    assert "score is partial" in load_answers(content, "--key", "key.csv")[2]
    assert load_answers(content, "--key", "key.csv", "--score-threshold", "0.5")[0] == 0
    assert attempts("correct") == [(True,), (True,), (False,)]


@pytest.mark.parametrize(
    ("key", "response"), [("2", "2.0"), ("2.0", "2"), ("caf\u00e9", "cafe\u0301"), ("Paris", " paris")]
)
def test_a_response_that_is_written_another_way_is_still_the_keys(load_answers, attempts, tmp_path, key, response):
    (tmp_path / "key.csv").write_text(f"item,key\nQ1,{key}\n")
    told = load_answers(f"user_id,item_id,response,time\nu1,Q1,{response},2025-11-01\n", "--key", "key.csv")[2]
    assert attempts("correct") == [(True,)], told


def test_ids_and_words_are_one_in_either_form_of_unicode(load_answers, attempts):
    composed = "u\u00e9,q\u00e9,\ub9de\uc74c,2025-11-01"
    decomposed = unicodedata.normalize("NFD", composed.replace("11-01", "11-02"))
    assert load_answers(f"{HEADER}\n{composed}\n{decomposed}\n")[0] == 0
    assert attempts("user_id, code, correct") == [("u\u00e9", "q\u00e9", True)] * 2


@pytest.mark.parametrize(
    ("written", "right"),
    [("0,5", True), ("0,499", False), ("0,0", False), ("1,0", True), ("1,00", True), ("0,500", True)],
)
def test_a_comma_is_a_decimal_point(load_answers, attempts, written, right):
    content = f"student;Q1;Took (s)\nu1;{written};12,5\n"
    options = ("--wide", "--items", "Q1", "--score-threshold", "0.5", "--on", "2025-11-01")
    assert load_answers(content, *options)[0] == 0
    assert attempts("correct") == [(right,)]
    content = f"user_id;item_id;score;time;Took (s)\nu2;1;{written};2025-11-01;12,5\n"
    assert load_answers(content, "--score-threshold", "0.5", "--response-time", "Took (s)")[0] == 0
    assert attempts("correct, response_time_ms")[1:] == [(right, 12_500)]


def test_a_gradebook_of_commas_is_right_and_wrong(load_answers, attempts):
    assert load_answers("student;Q1;Q2\nu1;1,0;0,0\n", "--wide", "--on", "2025-11-01")[0] == 0
    assert attempts("correct") == [(True,), (False,)]


@pytest.mark.parametrize("written", ["1,250", "0,5,0", ",5", "1.250,5", "12,345"])
def test_a_comma_that_may_stand_before_thousands_is_no_number(load_answers, written):
    content = f"user_id;item_id;score;time\nu2;1;{written};2025-11-01\n"
    code, _, told = load_answers(content, "--score-threshold", "0.5", "--max-score", "2000")
    assert code == 2
    assert "score is no number" in told


def test_a_zone_of_times_that_is_not_the_zone_of_days_is_told(load_answers):
    content = f"{HEADER}\nu1,1,1,2025-11-03 08:00\n"
    told = load_answers(content, "--time-zone", "Asia/Seoul")[2]
    assert "warning: times are read in Asia/Seoul, but days and weeks are those of UTC; set THETALINE_TIME_ZONE" in told
    assert "days and weeks" not in load_answers(content, "--time-zone", "UTC")[2]


def test_points_are_compared_with_a_full_score(load_answers, attempts):
    content = "user_id,item_id,score,time,points\nu1,1,5,2025-11-01,5\nu1,2,3,2025-11-01,4\nu1,3,1,2025-11-01,4\n"
    assert load_answers(content, "--max-score", "points", "--score-threshold", "0.7")[0] == 0
    assert attempts("correct") == [(True,), (True,), (False,)]


def test_what_was_imported_leads_on_to_a_window_that_holds_it(load_answers):
    told = load_answers(f"{HEADER}\nu1,1,1,2005-09-01\nu1,2,1,2006-06-01\n")[2]
    assert told.endswith("next: MIRT_LOOKBACK_DAYS=274 thetaline calibrate --date 2006-06-01\n")
