"""Files as they come: units, words, times and shapes are read for what they are, or asked for."""

import pytest

HEADER = "user_id,item_id,is_correct,answered_at"


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


def test_only_the_rows_that_are_asked_for_count(load_answers, attempts):
    content = (
        f"{HEADER},original,kind\nu1,1,1,2025-11-01,1,main\nu1,2,x,2025-11-01,0,main\n"
        "u1,3,1,2025-11-01,1.0,hint\nu1,4,0,2025-11-01,1.0,extra\n"
    )
    code, summary, told = load_answers(content, "--filter", "original=1", "--filter", "kind!=hint|trial")
    assert (code, summary["answers"], summary["filtered_rows"]) == (0, 2, 2), told
    assert attempts("code") == [("1",), ("4",)]
    assert "2 rows left aside by --filter" in told


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


def test_a_row_tells_all_its_faults(load_answers):
    code, _, told = load_answers(f"{HEADER}\n,1,maybe,yesterday\n")
    assert code == 2
    assert "line 2: no user; answer is neither true nor false; time is not ISO 8601" in told
    assert "[user_id (empty), item_id 1, is_correct maybe, answered_at yesterday]" in told
    assert "1 × answer is neither true nor false (line 2); say what its words mean by --map" in told
