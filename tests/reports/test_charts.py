"""Charts are small well-formed pictures with words and numbers, readable without colour and without sight."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from tests.reports import fixtures

from thetaline import charts
from thetaline.charts.intervals import shortened
from thetaline.charts.scale import Scale, covering
from thetaline.reports.class_page import class_page
from thetaline.reports.descriptors import default_descriptors
from thetaline.reports.learner_page import learner_page
from thetaline.reports.page import Figure, Page
from thetaline.reports.value import Language

SVG = "{http://www.w3.org/2000/svg}"
WORDS = charts.ChartText("t", "A title", "What it shows", "A caption", ())


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - drawn by ourselves


def figures(page: Page) -> list[charts.Chart]:
    return [block.chart for section in page.sections for block in section.blocks if isinstance(block, Figure)]


def all_figures() -> list[charts.Chart]:
    found = []
    for language in Language:
        found += figures(learner_page(fixtures.full(language), default_descriptors()))
        found += figures(learner_page(fixtures.thin(language), default_descriptors()))
        found += figures(class_page(fixtures.school_class(language)))
    return found


def luminance(colour: str) -> float:
    """Relative luminance of sRGB (WCAG 2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_figure_of_a_page_has_a_title_a_description_a_caption_and_its_data():
    for chart in all_figures():
        root = parsed(chart.svg)
        assert root.get("role") == "img"
        names = {element.get("id"): element.text for element in root.iter() if element.get("id")}
        assert [names[name] for name in root.get("aria-labelledby").split()] == [chart.text.title, chart.text.alt]
        assert chart.text.caption
        assert chart.text.tables
        assert all(len(row) == len(table.head) for table in chart.text.tables for row in table.rows)
        assert len(chart.svg) < 12_000


def test_ids_do_not_meet_on_a_page():
    found = figures(learner_page(fixtures.full(), default_descriptors()))
    ids = [element.get("id") for chart in found for element in parsed(chart.svg).iter()]
    used = [one for one in ids if one]
    assert len(used) == len(set(used))


def test_everything_that_is_drawn_lies_within_the_drawing():
    for chart in all_figures():
        root = parsed(chart.svg)
        width, height = float(root.get("width")), float(root.get("height"))
        for element in root.iter():
            for name, limit in (
                ("x", width),
                ("x1", width),
                ("x2", width),
                ("cx", width),
                ("y", height),
                ("cy", height),
            ):
                assert 0 <= float(element.get(name, 0)) <= limit


def test_an_answer_that_was_wrong_differs_in_shape():
    dots = [charts.Dot(0.0, filled=True), charts.Dot(1.0, filled=False)]
    chart = charts.stacked_dots(dots, WORDS, marker=None, ends=("low", "high"), number=str)
    assert len(re.findall('class="cross"', chart.svg)) == 2
    assert len(re.findall('class="hit"', chart.svg)) == 1


@pytest.mark.parametrize("palette", [charts.LIGHT, charts.DARK])
def test_colours_can_be_told_from_the_paper_and_from_each_other_by_lightness(palette):
    paper = palette["paper"]
    assert all(contrast(palette[name], paper) >= 4.5 for name in ("ink", "muted", "accent"))
    assert contrast(palette["accent"], palette["tint"]) >= 3  # the forecast's line on its area
    assert contrast(palette["muted"], palette["wash"]) >= 4.5  # numbers on the steps
    assert contrast(palette["tint"], palette["wash"]) >= 1.1


def test_a_drawing_of_its_own_has_colours_and_a_font_and_no_variable():
    chart = charts.level_steps([0.0], WORDS, current=0, marker=charts.Marker("0.3", 0.3, 0.1, 0.5), labels=["1", "2"])
    alone = chart.standalone(font="Pretendard")
    parsed(alone)
    assert "var(" not in alone
    assert charts.LIGHT["accent"] in alone
    assert "font-family:'Pretendard'" in alone
    assert "<style" not in chart.svg
    assert "A caption" in chart._repr_html_()


def test_markup_in_words_stays_text():
    evil = replace(WORDS, title="<script>", alt="a & b", caption="</figcaption>")
    chart = charts.level_steps([0.0], evil, current=None, marker=charts.Marker('"<', 0, -1, 1), labels=["<b>", "&"])
    root = parsed(chart.standalone())
    assert root.find(f"{SVG}title").text == "<script>"
    assert {text.text for text in root.iter(f"{SVG}text")} == {"<b>", "&", '"<'}
    assert "</figcaption></figcaption>" not in chart._repr_html_()


@pytest.mark.parametrize(
    "values", [[0.0], [], [-0.3, 4.1], [float("nan"), 1.0], [0.01, 0.02], [-250.0, 900.0], [3.0, 3.0]]
)
def test_a_scale_covers_its_values_with_round_ends_and_ticks_within(values):
    scale = covering(values, start=0, end=100)
    assert not any(value < scale.low or value > scale.high for value in values)
    assert scale.high - scale.low >= 1
    ticks = scale.ticks()
    assert ticks[0] == pytest.approx(scale.low)
    assert ticks[-1] == pytest.approx(scale.high)
    assert 3 <= len(ticks) <= 12


def test_a_value_beyond_the_scale_is_drawn_at_its_edge():
    scale = Scale(0.0, 1.0, 10.0, 20.0)
    assert [scale(value) for value in (-5, 0, 0.5, 1, 7)] == [10, 10, 15, 20, 20]


def test_many_weeks_are_labelled_from_the_newest_with_every_other_left_out_on_narrow_screens():
    labels = [(7.0 * k, f"w{k}") for k in range(16)]
    data = charts.TrendData([charts.Ranged(7.0 * k, 0, -1, 1) for k in range(16)], [], None, [], labels)
    drawn = charts.trend_chart(data, WORDS, goal_label="", number=str).svg
    assert re.findall(r">(w\d+)<", drawn) == ["w0", "w3", "w6", "w9", "w12", "w15"]
    assert re.findall(r'class="tick minor"[^>]*>(w\d+)<', drawn) == ["w0", "w6", "w12"]


def test_a_week_of_two_answers_does_not_flatten_the_others():
    measures = [charts.Ranged(0.0, 0.0, -9.0, 9.0), charts.Ranged(7.0, 0.5, 0.0, 1.0)]
    data = charts.TrendData(measures, [], None, [], [(0.0, "a"), (7.0, "b")])
    drawn = charts.trend_chart(data, WORDS, goal_label="", number=str).svg
    assert set(re.findall(r">(-?\d\.\d)<", drawn)) == {"-4.0", "-2.0", "0.0", "2.0", "4.0"}


@pytest.mark.parametrize(("goal", "is_above"), [(1.0, False), (0.0, True)])
def test_the_goals_name_stands_above_its_line_unless_that_is_the_edge(goal, is_above):
    data = charts.TrendData([], [(0.0, 0.0), (7.0, 1.0)], goal, [], [(0.0, "a"), (7.0, "b")])
    drawn = charts.trend_chart(data, WORDS, goal_label="the goal", number=str).svg
    line = float(re.search(r'y1="([\d.]+)"[^>]*class="goal"', drawn)[1])
    name = float(re.search(r'y="([\d.]+)"[^>]*>the goal<', drawn)[1])
    assert (name < line) == is_above


@pytest.mark.parametrize(("reference", "anchor"), [(-1.0, "start"), (0.0, "middle"), (1.0, "end")])
def test_a_name_near_an_edge_grows_inward(reference, anchor):
    rows = [charts.Row("r", 0.0, -1.0, 1.0)]
    drawn = charts.interval_rows(rows, WORDS, reference=reference, reference_label="here", number=str).svg
    assert re.search(r'text-anchor="(\w+)">here<', drawn)[1] == anchor


def test_the_current_step_is_marked():
    marker = charts.Marker("0.3", 0.3, 0.1, 0.5)
    drawn = charts.level_steps([0.0, 1.0], WORDS, current=1, marker=marker, labels=["1", "2", "3"]).svg
    assert re.findall(r'class="(current|step)"', drawn) == ["step", "current", "step"]


def test_a_long_label_is_shortened_and_wide_letters_count_twice():
    assert shortened("a" * 46) == "a" * 46
    assert shortened("a" * 47) == "a" * 45 + "…"
    assert shortened("가" * 30) == "가" * 22 + "…"
