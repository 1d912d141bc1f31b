"""The PDF of a week: the same bytes each time, in an order that can be read aloud, with words for each figure."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pdfua
import pypdf
import pytest
from tests.reports import fixtures

from thetaline.reports.class_page import class_page
from thetaline.reports.descriptors import default_descriptors
from thetaline.reports.learner_page import learner_page
from thetaline.reports.page import Figure, Page, Subheading
from thetaline.reports.pdf import PdfRenderer, RenderedPdf
from thetaline.reports.value import Audience, Language


@pytest.fixture(scope="module")
def renderer() -> PdfRenderer:
    return PdfRenderer()


@pytest.fixture(scope="module", params=Language)
def made(request, renderer) -> tuple[Page, RenderedPdf]:
    report = fixtures.full(request.param, Audience.TEACHER)
    return learner_page(report, default_descriptors()), renderer.render(report)


def opened(pdf: RenderedPdf) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf.data))


def headings(page: Page) -> list[str]:
    found = [page.headline]
    for section in page.sections:
        found += [section.title, *(block.text for block in section.blocks if isinstance(block, Subheading))]
    return [*found, page.appendix_title]


def bookmarks(outline: list[Any]) -> Iterator[str]:
    for entry in outline:
        yield from bookmarks(entry) if isinstance(entry, list) else [entry.title]


def alternatives(node: Any) -> Iterator[str]:
    """Words for figures, in the order of the structure tree."""
    found = node.get_object() if isinstance(node, pypdf.generic.IndirectObject) else node
    if isinstance(found, list):
        for one in found:
            yield from alternatives(one)
    elif isinstance(found, dict):
        if found.get("/S") == "/Figure":
            yield str(found["/Alt"])
        yield from alternatives(found.get("/K"))


def spaced(text: str) -> str:
    """The text with one kind of space, whatever its width, and no line ends."""
    return " ".join(text.split())


def test_the_same_week_gives_the_same_bytes_dated_by_its_last_day(renderer):
    first, second = (renderer.render(fixtures.thin()) for _ in range(2))
    assert first == second
    assert first.replaced == ()
    assert opened(first).metadata.creation_date == datetime(2026, 3, 8, tzinfo=UTC)


def test_bookmarks_are_the_headings_in_order(made):
    page, pdf = made
    assert list(bookmarks(opened(pdf).outline)) == headings(page)


def test_text_is_read_in_the_order_of_the_page(made):
    page, pdf = made
    text = spaced("\n".join(sheet.extract_text() for sheet in opened(pdf).pages))
    place = 0
    for wanted in (page.kicker, *headings(page)):
        place = text.index(spaced(wanted), place)
    assert all(spaced(sentence) in text for sentence in page.lead)


def test_every_figure_has_its_words_and_the_file_its_language_and_title(made):
    page, pdf = made
    root = opened(pdf).trailer["/Root"]
    charts = [block.chart for section in page.sections for block in section.blocks if isinstance(block, Figure)]
    assert list(alternatives(root["/StructTreeRoot"])) == [chart.text.alt for chart in charts]
    assert root["/Lang"] == page.language
    assert opened(pdf).metadata.title == page.title


def test_only_the_embedded_fonts_are_used(made):
    _, pdf = made
    fonts = {
        font.get_object()["/BaseFont"] for sheet in opened(pdf).pages for font in sheet["/Resources"]["/Font"].values()
    }
    assert {font.split("+")[1] for font in fonts} == {"Pretendard-Regular-Identity-H", "Pretendard-Bold-Identity-H"}


def test_the_checks_of_pdf_ua_that_a_program_can_make_find_nothing(made, tmp_path):
    _, pdf = made
    path = tmp_path / "week.pdf"
    path.write_bytes(pdf.data)
    assert list(pdfua.validate(path).findings) == []


@pytest.mark.parametrize("language", Language)
def test_a_class_and_a_learner_of_three_answers_have_a_pdf(renderer, language):
    report = fixtures.school_class(language)
    text = "".join(sheet.extract_text() for sheet in opened(renderer.render_class(report)).pages)
    assert class_page(report).headline in text
    assert all(learner.called in text for learner in report.learners)
    thin = "".join(sheet.extract_text() for sheet in opened(renderer.render(fixtures.thin(language))).pages)
    assert "−0.31" in thin
