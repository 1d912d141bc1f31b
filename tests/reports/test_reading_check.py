"""The key of the reading check is what the value says, and stands on the page that the question is asked about."""

import re
from pathlib import Path

import pytest
from tests.reports import fixtures
from tests.reports.reading import text_of

from thetaline.reports.descriptors import default_descriptors
from thetaline.reports.html import render_html
from thetaline.reports.value import Audience, Language, TopicVerdict
from thetaline.reports.wording import Words

PAGE = Path(__file__).resolve().parents[2] / "docs/guides/reading-the-report.md"
HEADINGS = {Language.EN: "### In English", Language.KO: "### 한국어"}


def key_of_the_page(language: Language) -> list[str]:
    part = PAGE.read_text(encoding="utf-8").split(HEADINGS[language])[1].split("###")[0]
    return [answer for _, answer in re.findall(r"^\| \d+ \| (.*?) \| (.*?) \|$", part, re.MULTILINE)]


def key_of_the_value(language: Language) -> list[str]:
    report = fixtures.full(language, Audience.TEACHER)
    words, write = Words(language, Audience.LEARNER, report.reader.called), Words(language, Audience.LEARNER, "").write
    standing, level = report.standing, default_descriptors().levels[language][report.standing.level]
    mean = sum(one.expected for one in report.examples) / len(report.examples)
    verdicts = {topic.verdict: topic.topic_id for topic in reversed(report.topics)}
    return [
        words.of("headline", report.headline.change),
        words.span(report.headline.slope),
        words("standing.two_levels", level="3", first="3", last="4", levels="5", level_name=level.name),
        words.chance(mean),
        verdicts[TopicVerdict.WEAKER],
        words.of("topic_verdict", report.topics[1].verdict),
        words.of("goal_verdict", report.goals[0].verdict),
        words.span(standing.percentile.value, 0),
        write.decimal(report.effort.theta_without_rapid.value),
        write.count(report.measurement.linking.n_anchors_used),
    ]


def shown(audience: Audience, language: Language) -> str:
    return text_of(render_html(fixtures.full(language, audience))).replace("\u00a0", " ")


@pytest.mark.parametrize("language", Language)
def test_the_key_is_what_the_value_says_and_the_page_shows(language):
    key = key_of_the_page(language)
    assert key == [answer.replace("\u00a0", " ") for answer in key_of_the_value(language)]
    assert len(key) == 10
    learner, teacher = map(shown, (Audience.LEARNER, Audience.TEACHER), [language] * 2)
    assert all(answer in learner for answer in key[:7])
    assert all(answer in teacher for answer in key[7:])


def test_the_guide_says_that_nobody_was_asked():
    assert "No trial with people was run" in PAGE.read_text(encoding="utf-8")
