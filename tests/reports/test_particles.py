"""Korean particles follow the sound that a word ends in."""

import pytest

from thetaline.reports.formats import Count, Word
from thetaline.reports.particles import PAIRS, with_particle


@pytest.mark.parametrize(
    ("word", "topic", "subject", "direction"),
    [
        ("민지", "민지는", "민지가", "민지로"),
        ("서준", "서준은", "서준이", "서준으로"),
        ("서울", "서울은", "서울이", "서울로"),  # rieul is closed, but takes 로
        ("분수", "분수는", "분수가", "분수로"),
        ("0", "0은", "0이", "0으로"),  # 영
        ("1", "1은", "1이", "1로"),  # 일
        ("0.02", "0.02는", "0.02가", "0.02로"),
        ("13", "13은", "13이", "13으로"),  # 삼
        ("6", "6은", "6이", "6으로"),
        ("7", "7은", "7이", "7로"),
        ("10", "10은", "10이", "10으로"),  # 십
        ("u-0045", "u-0045는", "u-0045가", "u-0045로"),
        ("50%", "50%는", "50%가", "50%로"),
        ("Paul", "Paul은", "Paul이", "Paul로"),
        ("Kim", "Kim은", "Kim이", "Kim으로"),
        ("Young", "Young은", "Young이", "Young으로"),
        ("Jane", "Jane은", "Jane이", "Jane으로"),  # the e is silent
        ("Kyle", "Kyle은", "Kyle이", "Kyle로"),
        ("Emma", "Emma는", "Emma가", "Emma로"),
        ("Taylor", "Taylor는", "Taylor가", "Taylor로"),
        ("HTML", "HTML은", "HTML이", "HTML로"),  # by the name of the last letter
        ("PDF", "PDF는", "PDF가", "PDF로"),
        ("7B", "7B는", "7B가", "7B로"),
        ("b", "b는", "b가", "b로"),
        ("Mark", "Mark은(는)", "Mark이(가)", "Mark(으)로"),  # 마크, but Jack is 잭
        ("도형(기초)", "도형(기초)는", "도형(기초)가", "도형(기초)로"),
        ("สมชาย", "สมชาย은(는)", "สมชาย이(가)", "สมชาย(으)로"),
        ("…", "…은(는)", "…이(가)", "…(으)로"),
        ("", "은(는)", "이(가)", "(으)로"),
    ],
)
def test_the_particle_fits_the_word(word, topic, subject, direction):
    assert f"{Word(word):은/는}" == topic
    assert f"{Word(word):이/가}" == subject
    assert f"{Word(word):으로/로}" == direction


@pytest.mark.parametrize("pair", PAIRS)
def test_every_pair_has_its_two_forms_in_the_order_of_its_name(pair):
    closed, open_ = pair.split("/")
    assert with_particle("서준", pair) == f"서준{closed}"
    assert with_particle("민지", pair) == f"민지{open_}"


def test_a_count_takes_the_noun_in_its_number():
    assert f"{Count(1):answer|answers}" == "1 answer"
    assert f"{Count(0):answer|answers}" == "0 answers"
    assert f"{Count(12):answer|answers}" == "12 answers"
    assert f"{Count(3):은/는}" == "3은"
