"""Whatever people are called and whatever they write is text on the page: seen as it is, and nothing else."""

import io
import re
from dataclasses import replace

import pypdf
import pytest
from tests.reports import fixtures
from tests.reports.reading import read
from tests.reports.strangers import CONTROLS, strangers

from thetaline.reports.glyphs import drawable
from thetaline.reports.html import render_class_html, render_html
from thetaline.reports.pdf import PdfRenderer
from thetaline.reports.value import Interval, Language, Reader, TopicPractice, TopicVerdict, WeeklyReport
from thetaline.reports.visible import one_line, visible

STRANGERS = strangers()
A_PAGE = 100
FOOTER = re.compile(r"Made from all answers up to March 8, 2026\.\s*\d+ / \d+")


@pytest.fixture(scope="module")
def renderer() -> PdfRenderer:
    return PdfRenderer()


def with_strangers(texts: list[str], language: Language) -> WeeklyReport:
    """A week whose learner, class, topics, items and questions are called as given."""
    report = fixtures.thin(language)
    practised = tuple(
        TopicPractice(text, 1, 1, Interval(1, 0.2, 1), None, None, TopicVerdict.STRONGER) for text in texts
    )
    item = replace(report.next_items[0], item=texts[1], topic_id=texts[2], content=texts[3])
    reader = Reader("u", texts[0], report.reader.audience, language, class_name=texts[4])
    return replace(report, reader=reader, topics=practised, next_items=(item,))


@pytest.mark.parametrize("start", range(0, len(STRANGERS), A_PAGE))
def test_in_html_every_text_is_text(start):
    texts = STRANGERS[start : start + A_PAGE]
    language = list(Language)[start // A_PAGE % 2]
    html = render_html(with_strangers(texts, language))
    html.encode("utf-8")
    page = read(html)
    plain = read(render_html(with_strangers([f"plain {k}" for k in range(A_PAGE)], language)))
    assert page.tags == plain.tags
    rows = [line.split(" | ")[0] for line in page.lines["topics"][-A_PAGE:]]
    assert rows == [visible(text) for text in texts]
    assert one_line(texts[3]) in page.lines["next"]
    assert visible(texts[0]) in page.lines["head"][0]


def test_on_a_class_page_every_name_is_text():
    report = fixtures.school_class()
    names = STRANGERS[: 12 * 6]
    for start in range(0, len(names), 12):
        own = names[start : start + 12]
        learners = tuple(replace(one, name=name) for one, name in zip(report.learners, own, strict=True))
        html = render_class_html(replace(report, learners=learners, name=own[0]))
        shown = {line.split(" | ")[0] for line in read(html).lines["next"]}
        assert {visible(name) for name in own} <= shown


def test_in_pdf_every_text_is_text_and_what_no_font_has_is_listed(renderer):
    for start in (0, 500):  # a page takes seconds to read back
        texts = STRANGERS[start : start + A_PAGE]
        made = renderer.render(with_strangers(texts, Language.EN))
        assert made.replaced == drawable("".join(map(visible, texts)) + one_line(texts[3])).replaced
        pages = pypdf.PdfReader(io.BytesIO(made.data)).pages
        text = squeezed("".join(FOOTER.sub("", page.extract_text()) for page in pages))
        assert [one for one in texts if squeezed(drawable(visible(one)).text) not in text] == []


def squeezed(text: str) -> str:
    """Text without what takes no ink: a PDF breaks lines where it likes."""
    return re.sub("[\\s\u200b-\u200d\ufeff\ufe0f]", "", text)


@pytest.mark.parametrize("letter", CONTROLS, ids=ascii)
def test_no_single_character_fails_a_pdf(renderer, letter):
    report = with_strangers([f"a{letter}b"] * 5, Language.EN)
    assert renderer.render(report).data.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Mina\x00", "Mina[U+0000]"),
        ("a\nb\tc", "a[U+000A]b[U+0009]c"),
        ("\u202eevil", "[U+202E]evil"),
        ("a\ud83d", "a[U+D83D]"),
        ("\u1100\u1161", "\uac00"),  # decomposed jamo
        ("שלום", "\u2068שלום\u2069"),
        ("👩‍👧", "👩‍👧"),
        ("สมชาย", "สมชาย"),
    ],
)
def test_what_acts_becomes_a_code_and_what_runs_right_to_left_is_isolated(typed, shown):
    assert visible(typed) == shown


def test_the_text_of_a_question_is_one_line():
    assert one_line("What is\n\n  2 + 2?\t") == "What is 2 + 2?"


def test_glyphs_that_the_fonts_lack_become_codes_and_are_told_once():
    found = drawable("김민지 😀 สวัสดี 😀 θ − ▲ → ≤")
    assert found.text == "김민지 [U+1F600] " + "".join(f"[U+{ord(c):04X}]" for c in "สวัสดี") + " [U+1F600] θ − ▲ → ≤"
    assert found.replaced == tuple(sorted({*"สวัสดี", "😀"}))


def test_isolates_and_marks_that_pdf_refuses_are_not_passed_on():
    assert drawable(visible("\u05d0")).text == "[U+05D0]"
    assert drawable("a\ufeff\ue000").text == "a[U+FEFF][U+E000]"
