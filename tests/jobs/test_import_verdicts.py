"""Right and wrong: words, points with a comma, responses and their key."""

import unicodedata

import pytest

HEADER = "user_id,item_id,is_correct,answered_at"


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


def test_points_are_compared_with_a_full_score(load_answers, attempts):
    content = "user_id,item_id,score,time,points\nu1,1,5,2025-11-01,5\nu1,2,3,2025-11-01,4\nu1,3,1,2025-11-01,4\n"
    assert load_answers(content, "--max-score", "points", "--score-threshold", "0.7")[0] == 0
    assert attempts("correct") == [(True,), (True,), (False,)]
