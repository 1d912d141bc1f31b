"""Pages as Chromium shows them: accessible, no wider than a small phone, without network and without script."""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright
from tests.reports import fixtures

from thetaline.reports.html import render_class_html, render_html
from thetaline.reports.value import Audience, Language

PAGES = {
    "learner ko": render_html(fixtures.full(Language.KO, Audience.LEARNER)),
    "family ko": render_html(fixtures.full(Language.KO, Audience.FAMILY)),
    "teacher en": render_html(fixtures.full(Language.EN, Audience.TEACHER)),
    "thin en": render_html(fixtures.thin(Language.EN)),
    "class ko": render_class_html(fixtures.school_class(Language.KO)),
}
LOOKS = (
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"forced_colors": "active"},
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no chromium or google-chrome on PATH; pages are not looked at in a browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_fits_a_small_phone_and_asks_for_nothing(browser, name):
    page = browser.new_page(viewport={"width": 320, "height": 640})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(PAGES[name])
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    found = Axe().run(page).response["violations"]
    page.close()
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert asked == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_colours_have_contrast_in_every_look(browser, look):
    page = browser.new_page(**look)
    page.set_content(PAGES["teacher en"])
    found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    page.close()
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_a_page_has_no_script_and_no_address_of_elsewhere():
    for html in PAGES.values():
        assert "<script" not in html
        assert "src=" not in html
        assert html.replace("http://www.w3.org/2000/svg", "").count("http") == 0
        assert "url(" not in html
