"""A small file of each platform's form goes in by its preset alone."""

from pathlib import Path

import pytest

from thetaline.jobs.importing import main
from thetaline.jobs.importing.presets import built_in_presets

EXPORTS = Path(__file__).parent / "exports"

# Of each file: the preset, its options, and learner, item, right, milliseconds of the answers that it holds.
FORMS = {
    "datashop_transactions.txt": (
        "datashop-transactions",
        "",
        "Stu_a P1|x_=_3 wrong 23000; Stu_a P1|x_=_3 wrong 5000; Stu_a P1|x_=_3 right -",
    ),
    "datashop_steps.txt": (
        "datashop-steps",
        "",
        "Stu_a P1|x_=_3 wrong 60500; Stu_a P1|x_=_4 right -; Stu_b P1|x_=_3 wrong 7000",
    ),
    "assistments_2009.csv": ("assistments", "--on 2010-01-01", "64525 51424 right 32454; 64525 51435 wrong -"),
    "assistments_2012.csv": ("assistments", "", "61394 93383 right 13278; 61394 93407 wrong 9000"),
    "assistments_2015.csv": ("assistments", "--on 2015-01-01", "50121 7014 wrong -; 50121 7014 right -"),
    "moodle_responses.csv": ("moodle-responses", "", "ana@x.org 1 right -; bo@x.org 1 wrong -; bo@x.org 2 right -"),
    "moodle_grades.csv": ("moodle-grades", "", "17 1 right -; 17 2 wrong -"),
    "canvas_quiz.csv": ("canvas-quiz", "", "7 101 right -; 7 102 wrong -; 8 101 wrong -; 8 102 right -"),
    "statements.jsonl": ("xapi", "", "ana https://x.org/q/1 right 12500; ana https://x.org/q/2 wrong 12500"),
    "timss.csv": (
        "timss",
        "--on 2011-05-01 --key key.csv",
        "36|50010101 M032094 right -; 36|50010101 M032662 wrong -; 36|50010101 M032064 right -; "
        "36|50010102 M032094 wrong -; 36|50010102 M032662 right -; 36|50010102 M032064 wrong -",
    ),
    "pisa.csv": (
        "pisa",
        "--on 2012-05-01",
        "JPN|0001|00003 PM00FQ01 wrong -; JPN|0001|00003 PM155Q02D right -; KOR|0001|00003 PM00FQ01 right -",
    ),
}


@pytest.fixture
def export():
    """The text of one of the small files."""
    return lambda name: (EXPORTS / name).read_text()


@pytest.mark.parametrize("name", FORMS)
def test_a_file_of_this_form_goes_in_by_its_preset(load_answers, attempts, export, tmp_path, name):
    (tmp_path / "key.csv").write_text("item,key\nM032064,2\n")
    preset, options, expected = FORMS[name]
    code, _, told = load_answers(export(name), "--preset", preset, *options.split(), name=name)
    assert code == 0, told
    found = [
        f"{user} {item.replace(' ', '_')} {'right' if correct else 'wrong'} {ms or '-'}"
        for user, item, correct, ms in attempts("user_id, code, correct, response_time_ms")
    ]
    assert found == expected.split("; ")
    assert load_answers(export(name), "--preset", preset, *options.split(), name=name)[1]["answers"] == 0


def test_skills_of_one_answer_are_its_topics(load_answers, rows, export):
    topics = (
        "select distinct one ->> 'topics' from exam_results, jsonb_array_elements(result_json -> 'questions') as one "
        "where one ? 'topics'"
    )
    load_answers(export("assistments_2009.csv"), "--preset", "assistments", "--on", "2010-01-01")
    assert rows(topics) == [('["Box and Whisker", "Median"]',)]
    rows_before = len(rows(topics))
    load_answers(export("datashop_steps.txt"), "--preset", "datashop-steps", name="s.txt")
    load_answers(export("datashop_transactions.txt"), "--preset", "datashop-transactions", name="t.txt")
    assert len(rows(topics)) == rows_before + 1
    assert ('["add", "sub"]',) in rows(topics)


@pytest.mark.parametrize(
    ("preset", "name", "code", "other"),
    [
        ("pisa", "pisa.csv", "00003,7,1", "00003,7,2"),
        ("timss", "timss.csv", "1,10,70", "1,20,70"),
        ("timss", "timss.csv", "1,10,70", "1,1,70"),
    ],
)
def test_a_code_that_may_be_partial_credit_or_an_option_is_no_answer(load_answers, export, preset, name, code, other):
    code, _, told = load_answers(export(name).replace(code, other), "--preset", preset, "--on", "2012-05-01")
    assert code == 2
    assert "answer is neither true nor false" in told


def test_a_moodle_response_is_right_however_it_is_written(load_answers, attempts, export):
    content = export("moodle_responses.csv").replace("1.00,Paris,Paris,-,4", "1.00,paris,Paris,4.0,4")
    assert load_answers(content, "--preset", "moodle-responses", name="m.csv")[0] == 0
    assert attempts("user_id, correct")[:2] == [("ana@x.org", True)] * 2


def test_an_essay_of_a_moodle_quiz_is_not_wrong_for_want_of_a_right_answer(load_answers, attempts, export):
    content = export("moodle_responses.csv").replace(",4,4", ",true,").replace("-,4", "an essay,")
    code, _, told = load_answers(content, "--preset", "moodle-responses", name="m.csv")
    assert code == 2
    assert "answer is neither true nor false" in told
    assert "(cell) an essay (no right answer)" in told
    assert "(cell) true (no right answer)" in told
    assert load_answers(content, "--preset", "moodle-responses", "--items", "Response 1", name="m.csv")[0] == 0
    assert attempts("user_id, code, correct") == [("ana@x.org", "1", True), ("bo@x.org", "1", False)]


def test_questions_that_a_quiz_numbers_are_not_those_of_another_quiz(load_answers, attempts, export):
    content, options = export("moodle_responses.csv"), ("--preset", "moodle-responses")
    assert load_answers(content, *options, name="history.csv")[0] == 0
    assert load_answers(content, *options, name="history.csv")[1]["already_stored"] == 3
    code, _, told = load_answers(content, *options, name="geometry.csv")
    assert code == 2
    assert "items are only numbers in their quiz, and 2 of them, first 1, are known from history.csv" in told
    assert load_answers(content, *options, "--item-prefix", "geometry", name="geometry.csv")[1]["questions"] == 2
    assert load_answers(content, *options, "--item-prefix", "", name="history (1).csv")[1]["already_stored"] == 3
    assert {code for (code,) in attempts("code")} == {"1", "2", "geometry|1", "geometry|2"}


def test_questions_that_a_quiz_numbers_are_not_those_of_the_exam_app(load_answers, rows, export):
    rows("insert into question (id, meta) values (1, '{}') returning id")
    code, _, told = load_answers(export("moodle_grades.csv"), "--preset", "moodle-grades", name="quiz.csv")
    assert code == 2
    assert "1 of them, first 1, are known from elsewhere; name this quiz by --item-prefix NAME" in told


def test_presets_are_listed_with_what_they_read(capsys, monkeypatch):
    assert main(["--preset", "list"]) == 0
    told = capsys.readouterr().out
    for preset in built_in_presets().values():
        assert f"{preset.name}\n    {preset.title}" in told


def test_an_option_goes_over_the_preset(load_answers, attempts, export):
    options = ("--preset", "datashop-transactions", "--map", "HINT=missing", "--item", "Problem Name")
    code, _, told = load_answers(export("datashop_transactions.txt"), *options, name="t.txt")
    assert code == 0, told
    assert attempts("code, correct") == [("P1", False), ("P1", None), ("P1", True)]


def test_a_preset_of_your_own_is_a_file(load_answers, attempts, tmp_path):
    (tmp_path / "ours.toml").write_text(
        'title = "ours"\n[columns]\nuser = ["wer"]\nitem = ["was"]\ncorrect = ["gut"]\n'
    )
    content = "wer,was,gut,time\nu1,1,1,2025-11-01\n"
    assert load_answers(content, "--preset", "ours.toml")[0] == 0
    assert attempts("user_id, code") == [("u1", "1")]


@pytest.mark.parametrize(
    ("preset", "says"),
    [
        ("canvas", "--preset 'canvas' is none; known are assistments, canvas-quiz"),
        ("xapi", "this is no file of the form xapi: it has no column actor.account.name or actor.mbox"),
        ("absent.toml", "--preset absent.toml: cannot be read"),
        ("wrong.toml", "preset wrong.toml: 'people' is not a valid Role"),
        ("more.toml", "preset more.toml: Preset.__init__() got an unexpected keyword argument 'colour'"),
    ],
)
def test_a_preset_that_does_not_fit_is_told(load_answers, tmp_path, preset, says):
    (tmp_path / "wrong.toml").write_text('title = "t"\n[columns]\npeople = ["x"]\n')
    (tmp_path / "more.toml").write_text('title = "t"\ncolour = "red"\n')
    code, _, told = load_answers("user_id,item_id,is_correct,time\nu1,1,1,2025-11-01\n", "--preset", preset)
    assert code == 2
    assert says in told


def test_a_file_of_a_known_form_is_recognised(load_answers, export):
    code, _, told = load_answers(export("datashop_transactions.txt"), name="t.txt")
    assert code == 2
    assert "It looks like a file of --preset datashop-transactions" in told
