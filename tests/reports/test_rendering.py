"""A value becomes a page: what may not be shown is not there, what is not known is said or left out."""

import re
import subprocess
import sys
from dataclasses import fields, replace

import pytest
from tests.reports import fixtures
from tests.reports.reading import read

from thetaline.errors import InputError
from thetaline.reports.extra import require
from thetaline.reports.html import render_html
from thetaline.reports.value import (
    Absent,
    Audience,
    Change,
    GoalVerdict,
    KpiValue,
    Language,
    TopicVerdict,
    WeeklyReport,
)
from thetaline.reports.wording import Words, catalogue

SECTIONS = {"trend": "trend", "standing": "standing", "item_map": "map", "effort": "effort"}
SAID = [reason for reason in Absent if reason is not Absent.NOT_ALLOWED]


def sections(report: WeeklyReport) -> dict[str, list[str]]:
    return read(render_html(report)).lines


def words(language: Language = Language.EN, audience: Audience = Audience.LEARNER) -> Words:
    return Words(language, audience, fixtures.NAMES[language])


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", Audience)
def test_the_same_week_gives_the_same_page(language, audience):
    assert render_html(fixtures.full(language, audience)) == render_html(fixtures.full(language, audience))


@pytest.mark.parametrize("field", SECTIONS)
def test_a_section_that_the_reader_may_not_see_is_not_there(field):
    report = replace(fixtures.full(), **{field: Absent.NOT_ALLOWED})
    assert SECTIONS[field] not in sections(report)
    assert words().of("absent", Absent.NOT_ALLOWED) not in render_html(report)


@pytest.mark.parametrize("field", SECTIONS)
@pytest.mark.parametrize("reason", SAID)
def test_a_section_without_numbers_says_why(field, reason):
    report = replace(fixtures.full(), **{field: reason})
    assert sections(report)[SECTIONS[field]][1:] == [words().of("absent", reason)]


@pytest.mark.parametrize("change", Change)
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", Audience)
def test_the_headline_is_the_sentence_of_the_finding(change, language, audience):
    report = fixtures.full(language, audience)
    head = sections(replace(report, headline=replace(report.headline, change=change)))["head"]
    assert head[1] == words(language, audience).of("headline", change)


def test_headlines_of_the_five_findings_differ():
    for language in Language:
        for audience in Audience:
            assert len({words(language, audience).of("headline", change) for change in Change}) == len(Change)


def test_only_a_rise_is_called_a_rise():
    """Words of getting better are in one sentence alone."""
    for change in Change:
        assert ("getting better" in words().of("headline", change)) == (change is Change.UP)
        assert ("늘고 있" in words(Language.KO).of("headline", change)) == (change is Change.UP)


@pytest.mark.parametrize("verdict", GoalVerdict)
def test_a_goal_has_its_verdict_in_words(verdict):
    report = fixtures.full()
    goal = replace(report.goals[0], verdict=verdict, probability=Absent.TOO_FEW_WEEKS, ever_probability=None)
    lines = sections(replace(report, goals=(goal,)))["goals"]
    assert words().of("goal_verdict", verdict) in lines
    assert f"No chance is given: {words().of('absent', Absent.TOO_FEW_WEEKS)}" in lines


@pytest.mark.parametrize("target", [float("nan"), float("inf"), float("-inf"), 1e300])
@pytest.mark.parametrize("language", Language)
def test_a_target_that_is_no_level_is_said_to_be_none(target, language):
    report = fixtures.full(language)
    goal = replace(report.goals[0], target=target, verdict=Absent.NO_GOAL)
    lines = sections(replace(report, goals=(goal,)))["goals"]
    assert lines[1:] == [goal.topic_id, words(language)("goals.no_target")]


def test_topics_without_a_level_are_not_said_to_be_like_the_rest():
    said = "\n".join(sections(fixtures.thin())["topics"])
    assert fixtures.thin().topics[0].topic_id in said
    assert words()("topics.alike") not in said
    assert words().of("topic_verdict", TopicVerdict.LIKE_THE_REST) not in said


def test_a_topic_of_which_there_is_nothing_to_say_is_left_out():
    silent = replace(fixtures.thin().topics[0], attempts=0, correct=0, accuracy=None)
    assert "topics" not in sections(replace(fixtures.thin(), topics=(silent,)))


def test_learner_and_family_see_no_percentile_risk_or_segment():
    for audience in (Audience.LEARNER, Audience.FAMILY):
        page = sections(fixtures.full(Language.EN, audience))
        assert not {"risk", "segment"} & page.keys()
        assert "Percentile" not in page["standing"]
    teacher = sections(fixtures.full(Language.EN, Audience.TEACHER))
    assert {"risk", "segment"} <= teacher.keys()
    assert "Percentile" in teacher["standing"]


def test_a_learner_of_three_answers_has_a_page_without_empty_parts():
    page = sections(fixtures.thin())
    assert all(len(lines) > 1 for lines in page.values())
    assert {"can", "kpis", "risk", "segment"} & page.keys() == set()
    assert any("One week makes no trend." in line for line in page["trend"])
    assert words()("standing.no_level") in page["standing"]
    assert words().of("absent", Absent.NOT_LINKED) in page["notes"]


def test_a_learner_of_whom_nothing_is_known_has_a_page():
    empty = {field.name: () for field in fields(WeeklyReport) if field.name in {"topics", "kpis", "goals", "examples"}}
    empty |= {"next_topics": (), "next_items": (), "sources": ()}
    nothing = dict.fromkeys((*SECTIONS, "measurement", "risk", "segment"), Absent.NO_ANSWERS)
    headline = replace(fixtures.thin().headline, n_answers=0, n_weeks=0)
    page = sections(replace(fixtures.thin(), headline=headline, **empty, **nothing))
    assert page["head"][1:3] == [words()("week.no_answers"), words()("week.nothing_new")]
    assert page["trend"] == ["Your level, week by week", "There were no answers this week."]


def test_numbers_are_said_as_people_say_them():
    learner, teacher = words(), words(audience=Audience.TEACHER)
    chances = (0.001, 0.049, 0.05, 0.62, 0.949, 0.951, 0.999)
    assert [learner.chance(p) for p in chances] == [
        *["only seldom"] * 2,
        *["about 1 time in 10", "about 6 times in 10", "about 9 times in 10"],
        *["nearly always"] * 2,
    ]
    assert [teacher.chance(p) for p in chances] == ["under 1%", "5%", "5%", "62%", "95%", "95%", "over 99%"]


def test_a_sentence_of_the_catalogue_is_never_shown_with_its_braces():
    for language in Language:
        for audience in Audience:
            assert "{" not in "".join(
                line for lines in sections(fixtures.full(language, audience)).values() for line in lines
            )
    assert len(catalogue(Language.EN)) > 150


def test_a_figure_shows_at_most_twelve_topics_and_those_that_stand_out_among_them():
    known = fixtures.full().topics[1]
    topics = tuple(
        replace(known, topic_id=f"T{k:02d}", attempts=50 - k, verdict=TopicVerdict.WEAKER if k == 29 else known.verdict)
        for k in range(30)
    )
    lines = sections(replace(fixtures.full(), topics=topics))["topics"]
    assert [line for line in lines if re.fullmatch(r"T\d\d", line)] == [f"T{k:02d}" for k in (*range(11), 29)]
    assert sum(line.startswith("T") and " | " in line for line in lines) == 1 + 30
    assert any("The figure shows 12 topics" in line for line in lines)


def test_what_makes_no_page_loads_no_library_for_pages():
    modules = "sys, thetaline.reports.html, thetaline.reports.pdf"
    code = f"import {modules}; print({{'babel', 'jinja2', 'typst'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_library_that_is_missing_is_named_with_what_to_install():
    with pytest.raises(InputError, match=r"need no_such_library: pip install 'thetaline\[reports\]'"):
        require("babel", "no_such_library")


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("E_t", 0.084, "+8%"),
        ("E_t", -0.084, "−8%"),
        ("E_t", 0.004, "0%"),
        ("I_t", 0.001, "0.00"),
        ("R_t", 0.5, "50%"),
        ("A_t", 0.714, "0.71"),
        ("P", 0.998, "over 99%"),
        ("own_key", -1.5, "−1.50"),
    ],
)
def test_an_indicator_is_written_by_its_kind(key, value, shown):
    kpi = KpiValue(key, value, None, Change.DOWN, better=Change.DOWN)
    lines = sections(replace(fixtures.full(), kpis=(kpi,)))["kpis"]
    name = key if key == "own_key" else words().of("kpi", key)
    assert lines[1:4] == [name, shown, "▼\u00a0falling · a good sign"]
