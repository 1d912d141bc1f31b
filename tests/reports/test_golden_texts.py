"""The pages' words, as somebody reads them; `python -m tests.golden.reports` writes them anew."""

import pytest
from tests.golden.reports import FOLDER, pages

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_said(name):
    assert PAGES[name] == (FOLDER / name).read_text(encoding="utf-8")


def test_no_text_is_kept_of_a_page_that_is_no_more():
    assert {path.name for path in FOLDER.glob("*.txt")} == set(PAGES)
