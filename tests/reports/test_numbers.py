"""The page is read back: each number that it shows is one of the value, at its printed precision; none is missing."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.reports import fixtures
from tests.reports.reading import read

from thetaline.reports.descriptors import default_descriptors
from thetaline.reports.formats import Formats
from thetaline.reports.html import render_class_html, render_html
from thetaline.reports.value import Absent, Audience, Estimate, Interval, Language, WeeklyReport
from thetaline.reports.wording import catalogue

NUMBER = re.compile(r"[+−-]?\d+(?:\.\d+)?")
Shown = tuple[float, int]  # value, decimals


def numbers(text: str) -> list[Shown]:
    found = []
    for token in NUMBER.findall(text):
        plain = token.replace("−", "-")
        found.append((float(plain), len(plain.partition(".")[2])))
    return found


def is_shown(value: float, decimals: int, shown: Iterable[Shown]) -> bool:
    """Is the value among the numbers, rounded to `decimals`?"""
    half = 0.5 * 10.0**-decimals + 1e-9
    return any(places == decimals and abs(number - value) <= half for number, places in shown)


def bounds(known: Estimate | Interval, decimals: int = 2, times: float = 1) -> Iterator[Shown]:
    for value in (known.value, known.low, known.high):
        yield times * value, decimals


def constants(language: Language, *prefixes: str) -> list[Shown]:
    """Numbers that the sentences themselves contain."""
    found: list[Shown] = []
    for key, sentence in catalogue(language).items():
        if key.startswith(prefixes):
            texts = [sentence] if isinstance(sentence, str) else sentence.values()
            found += [number for text in texts for number in numbers(re.sub(r"\{[^}]*\}", "", text))]
    return found


def trend_numbers(report: WeeklyReport) -> Iterator[Shown]:
    for measure in report.trend.measures:
        yield from bounds(measure.theta)
        yield measure.n, 0
    for _, level in report.trend.line.fitted:
        yield from bounds(level)
    for ahead in report.trend.forecast:
        yield from ((value, 2) for value in (ahead.mean, ahead.low_80, ahead.high_80, ahead.low_95, ahead.high_95))
    yield report.trend.target, 2


def standing_numbers(report: WeeklyReport) -> Iterator[Shown]:
    standing = report.standing
    yield from bounds(standing.theta)
    yield standing.n_answers, 0
    yield from ((cut, 2) for cut in default_descriptors().cuts)
    yield from ((level, 0) for level in range(1, 6))
    if not isinstance(standing.percentile, Absent):
        yield from bounds(standing.percentile.value, 0)
        yield standing.percentile.n, 0


def topics_numbers(report: WeeklyReport) -> Iterator[Shown]:
    yield report.standing.theta.value, 2
    for topic in report.topics:
        yield from ((topic.attempts, 0), (topic.correct, 0))
        yield from bounds(topic.accuracy, 0, 100) if topic.accuracy else ()
        yield from bounds(topic.theta) if topic.theta else ()


def map_numbers(report: WeeklyReport) -> Iterator[Shown]:
    found = report.item_map
    yield from ((found.easier, 0), (found.matched, 0), (found.harder, 0))
    for item in found.items:
        yield from ((item.difficulty, 2), (100 * item.expected, 0))


def effort_numbers(report: WeeklyReport) -> Iterator[Shown]:
    effort = report.effort
    yield from (
        (effort.n_timed, 0),
        (effort.n_rapid, 0),
        (effort.theta.value, 2),
        (effort.theta_without_rapid.value, 2),
    )


def notes_numbers(report: WeeklyReport) -> Iterator[Shown]:
    found = report.measurement
    yield from ((found.linking.slope, 3), (found.linking.shift, 3), (found.linking.n_anchors_used, 0))
    yield from ((found.n_items, 0), (found.n_learners, 0))


def kpi_numbers(report: WeeklyReport) -> Iterator[Shown]:
    for kpi in report.kpis:
        percent = kpi.key in {"E_t", "R_t"}
        for value in (kpi.value, kpi.before):
            if value is not None:
                yield (100 * value, 0) if percent else (value, 2)


def chance_numbers(probability: float, audience: Audience) -> Iterator[Shown]:
    yield (100 * probability, 0) if audience is Audience.TEACHER else (10 * probability, 0)


def expected(report: WeeklyReport) -> dict[str, list[Shown]]:
    """The numbers that each section has to show."""
    audience, goal = report.reader.audience, report.goals[0]
    headline = report.headline
    mean = sum(one.expected for one in report.examples) / len(report.examples)
    found = {
        "head": [(headline.n_weeks, 0), (headline.n_answers, 0), *bounds(headline.slope)],
        "trend": trend_numbers(report),
        "standing": standing_numbers(report),
        "can": chance_numbers(mean, audience),
        "topics": topics_numbers(report),
        "map": map_numbers(report),
        "goals": [
            (goal.target, 2),
            *chance_numbers(goal.probability, audience),
            *chance_numbers(goal.ever_probability, audience),
        ],
        "next": [one for item in report.next_items for one in chance_numbers(item.expected, audience)],
        "kpis": kpi_numbers(report),
        "effort": effort_numbers(report),
        "notes": notes_numbers(report),
    }
    if not isinstance(report.risk, Absent):
        found["risk"] = [(100 * report.risk.probability, 0)]
    return {section: list(numbers) for section, numbers in found.items()}


def without_names(text: str, report: WeeklyReport) -> str:
    """The text without what is no number of the week: codes, questions, days, runs."""
    write = Formats(report.reader.language)
    items = [*report.item_map.items, *report.next_items, *report.examples]
    names = [one.item for one in items] + [one.content for one in (*report.next_items, *report.examples) if one.content]
    names += [*report.sources, report.measurement.run_id, report.measurement.model, report.reader.class_name]
    days = [report.week + timedelta(days=days) for days in range(-70, 60)]
    names += [write.day(day) for day in days] + [write.period(report.week, report.as_of)]
    names.append(write.moment(report.measurement.fitted_at))
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "")
    return text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", Audience)
def test_every_number_of_a_learners_page_is_one_of_the_value_and_none_is_missing(language, audience):
    report = fixtures.full(language, audience)
    lines = read(render_html(report)).lines
    for section, wanted in expected(report).items():
        shown = numbers(without_names("\n".join(lines[section]), report))
        prefixes = ("headline",) if section == "head" else (f"{section}.", "kpi_about.", "chance.", "risk.")
        allowed = wanted + constants(language, *prefixes)
        missing = [one for one in wanted if not is_shown(*one, shown)]
        foreign = [one for one in shown if not any(is_shown(value, places, [one]) for value, places in allowed)]
        assert (missing, foreign) == ([], []), section
    assert lines.keys() - expected(report).keys() <= {"segment"}


def test_a_number_that_differs_in_the_last_place_is_noticed():
    report = fixtures.full()
    slope = replace(report.headline.slope, value=report.headline.slope.value + 0.01)
    shown = numbers("\n".join(read(render_html(report)).lines["head"]))
    assert is_shown(report.headline.slope.value, 2, shown)
    assert not is_shown(slope.value, 2, shown)


@pytest.mark.parametrize("language", Language)
def test_the_weeks_of_the_trend_are_those_of_the_value_row_by_row(language):
    report = fixtures.full(language)
    write = Formats(language)
    rows = [line.split(" | ") for line in read(render_html(report)).lines["trend"] if line.count(" | ") == 3]
    past = rows[1 : 1 + len(report.trend.measures)]
    for row, measure, (_, level) in zip(past, report.trend.measures, report.trend.line.fitted, strict=True):
        assert row[0] == write.day(measure.week)
        assert [value for value, _ in numbers(row[1])] == pytest.approx(
            [v for v, _ in bounds(measure.theta)], abs=0.0051
        )
        assert row[2] == str(measure.n)
        assert [value for value, _ in numbers(row[3])] == pytest.approx([v for v, _ in bounds(level)], abs=0.0051)


def test_the_questions_of_the_week_are_in_the_order_of_their_difficulty():
    report = fixtures.full()
    named = tuple(replace(one, item=f"Q-{23 - k:03d}") for k, one in enumerate(report.item_map.items))
    rows = read(render_html(replace(report, item_map=replace(report.item_map, items=named)))).lines["map"][-24:]
    assert [row.split(" | ")[0] for row in rows] == [one.item for one in named]


@pytest.mark.parametrize("language", Language)
def test_the_numbers_of_a_class_page_are_those_of_the_value(language):
    report = fixtures.school_class(language)
    lines = read(render_class_html(report)).lines
    rows = {
        cells[0]: cells[1:] for section in lines.values() for line in section if len(cells := line.split(" | ")) > 4
    }
    for learner in report.learners:
        cells = rows[learner.called]
        assert cells[0] == str(learner.n_answers)
        for cell, known in ((cells[1], learner.theta), (cells[2], learner.slope)):
            wanted = [] if known is None else [value for value, _ in bounds(known)]
            assert [value for value, _ in numbers(cell)] == pytest.approx(wanted, abs=0.0051)
        assert [value for value, _ in numbers("".join(cells[4:]))] == (
            [] if learner.risk is None else [100 * learner.risk]
        )
    for topic in report.topics:
        cells = rows[topic.topic_id]
        assert cells[:2] == [str(topic.n_learners), str(topic.attempts)]
        assert [value for value, _ in numbers(cells[3])] == pytest.approx(
            [v for v, _ in bounds(topic.difference)], abs=0.0051
        )


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 2, "0.00"),
        (-0.004, 2, "0.00"),
        (-0.005001, 2, "−0.01"),
        (1.005, 2, "1.00"),
        (-12.5, 0, "−12"),
        (2.0, 1, "2.0"),
    ],
)
def test_a_number_is_written_at_its_precision_with_a_true_minus(value, digits, text):
    assert Formats(Language.EN).decimal(value, digits) == text


def test_a_change_has_its_sign_and_nought_has_none():
    write = Formats(Language.KO)
    assert [write.signed(value) for value in (0.031, -0.031, 0.001, -0.001)] == ["+0.03", "−0.03", "0.00", "0.00"]
