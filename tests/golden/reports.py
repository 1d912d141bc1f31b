"""The visible text of pages; `python -m tests.golden.reports` writes it anew, to be read as a diff."""

from pathlib import Path

from tests.reports import fixtures
from tests.reports.reading import text_of

from thetaline.reports.html import render_class_html, render_html
from thetaline.reports.value import Audience, Language

FOLDER = Path(__file__).with_name("reports")


def pages() -> dict[str, str]:
    """The text of each page by the name of its file."""
    found = {}
    for language in Language:
        for audience in Audience:
            found[f"full-{audience}-{language}"] = render_html(fixtures.full(language, audience))
        found[f"thin-learner-{language}"] = render_html(fixtures.thin(language))
        found[f"class-{language}"] = render_class_html(fixtures.school_class(language))
    return {f"{name}.txt": text_of(html) for name, html in found.items()}


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
