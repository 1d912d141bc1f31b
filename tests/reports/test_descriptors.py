"""Levels come from a file, in both languages, and are named only where the score says which."""

from dataclasses import replace

import pytest
from tests.reports import fixtures

from thetaline.errors import InputError
from thetaline.reports.descriptors import default_descriptors, read_descriptors
from thetaline.reports.html import render_html
from thetaline.reports.value import Estimate, Language

LEVELS = """
cuts = [-1.0, 1.0]
[[en]]
name = "Low"
can = "Little."
[[en]]
name = "Middle"
can = "Some."
[[en]]
name = "High <b>"
can = "Much."
[[ko]]
name = "하"
can = "조금."
[[ko]]
name = "중"
can = "얼마쯤."
[[ko]]
name = "상"
can = "많이."
"""


def test_five_levels_are_shipped_in_both_languages():
    shipped = default_descriptors()
    assert len(shipped.cuts) == 4
    assert all(len(shipped.levels[language]) == 5 for language in Language)


@pytest.mark.parametrize(
    ("theta", "se", "level"),
    [(0.0, 0.2, 2), (-0.5, 0.1, 2), (-0.51, 0.1, 1), (3.0, 0.5, 4), (-4.0, 0.5, 0), (0.0, 0.5, None), (0.4, 0.4, 2)],
)
def test_a_level_is_named_unless_the_range_touches_three(theta, se, level):
    assert default_descriptors().level_of(Estimate(theta, se)) == level


@pytest.mark.parametrize(
    ("theta", "se", "said"),
    [
        (0.0, 0.2, "Level 3 of 5: On firm ground."),
        (0.48, 0.21, "Level 3 or 4 of 5; the likelier is 3: On firm ground."),
        (0.52, 0.21, "Level 3 or 4 of 5; the likelier is 4: Advanced."),
        (0.0, 0.5, "Which level fits best cannot be told yet; more answers will show."),
    ],
)
def test_a_page_names_the_levels_that_the_range_touches(theta, se, said):
    known, report = Estimate(theta, se), fixtures.full()
    standing = replace(report.standing, theta=known, level=default_descriptors().level_of(known))
    assert f">{said}<" in render_html(replace(report, standing=standing))


def test_a_file_replaces_the_levels(tmp_path):
    path = tmp_path / "levels.toml"
    path.write_text(LEVELS, encoding="utf-8")
    own = read_descriptors(path)
    report = fixtures.full()
    standing = replace(report.standing, theta=Estimate(2.0, 0.3), level=2)
    page = render_html(replace(report, standing=standing), own)
    assert "Level 3 of 3: High &lt;b&gt;." in page
    assert "On firm ground" not in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("cuts = [-1.0, 1.0]", "cuts = [1.0, -1.0]"), r"cuts \[1.0, -1.0\] do not rise"),
        (("cuts = [-1.0, 1.0]", "cuts = [1.0]"), "2 levels; give 3 to 5"),
        (("cuts = [-1.0, 1.0]", ""), "KeyError"),
        (("[[ko]]", "[[fr]]"), "ko"),
        (('name = "Low"', 'title = "Low"'), "name"),
        (("cuts = [-1.0, 1.0]", "cuts = [-1.0, 0.0, 1.0]"), "3 levels in ko, 4 by the cuts"),
        (("cuts =", "cuts"), "levels.toml"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_what_to_do(tmp_path, change, message):
    path = tmp_path / "levels.toml"
    path.write_text(LEVELS.replace(*change), encoding="utf-8")
    with pytest.raises(InputError, match=message) as refused:
        read_descriptors(path)
    assert "levels.toml" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml"):
        read_descriptors(tmp_path / "none.toml")
