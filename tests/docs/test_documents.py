"""What the documents show is run: the Python of a page in one namespace, in order; what it prints is compared."""

import contextlib
import io
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = sorted([CHECKOUT / "README.md", *CHECKOUT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(python|text output)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)\)")


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text())


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: str(p.relative_to(CHECKOUT)))
def test_the_python_of_a_page_runs_and_prints_what_the_page_shows(page: Path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__page__"}
    printed = ""
    for kind, text in blocks(page):
        if kind == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(text, str(page), "exec"), namespace)  # noqa: S102 - our own pages
            printed = out.getvalue()
        else:
            assert printed.split() == text.split()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(CHECKOUT)))
def test_every_relative_link_of_a_page_leads_somewhere(page: Path):
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def test_decision_0001_shows_the_packages_that_there_are():
    page = (CHECKOUT / "docs/decisions/0001-folders-are-the-architecture.md").read_text()
    lines = re.search(r"^src/thetaline/\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1].splitlines()
    shown, parent = set(), ""
    for depth, name in (re.match(r"(│   )?[├└]── ([\w.]+/?)", line).groups() for line in lines):
        shown.add(f"{parent if depth else ''}{name}")
        parent = parent if depth else name
    source = CHECKOUT / "src/thetaline"
    packages = {f"{found.parent.relative_to(source)}/" for found in source.glob("**/__init__.py")} - {"./"}
    with_parts = {"irt", "jobs"}  # the others are shown as one line
    assert {name for name in shown if name.endswith("/")} == {
        name for name in packages if name.count("/") == 1 or (name.count("/") == 2 and name.split("/")[0] in with_parts)
    }
    assert all((source / name).exists() for name in shown)
