"""A value becomes a page: the same value the same bytes, in both languages and for each reader."""

import pytest
from tests.reports import fixtures

from thetaline.reports import html
from thetaline.reports.pdf import PdfRenderer
from thetaline.reports.value import Audience, Language


@pytest.fixture(scope="module")
def renderer() -> PdfRenderer:
    return PdfRenderer()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", Audience)
def test_the_same_week_gives_the_same_page(language, audience):
    report = fixtures.full(language, audience)
    assert html.render_html(report) == html.render_html(report)


def test_the_same_week_gives_the_same_pdf(renderer):
    first, second = (renderer.render(fixtures.full()) for _ in range(2))
    assert first == second
    assert first.data.startswith(b"%PDF")
    assert first.replaced == ()
