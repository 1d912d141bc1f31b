"""The Quarto document: its cells run in their order, and show what the page shows."""

import ast
import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learners import TODAY, bank_params, connected, context, publish_items, simulated, write_answers

from thetaline.errors import InputError
from thetaline.jobs.abilities import snapshot, weekly
from thetaline.jobs.reports.notebook import weekly_page
from thetaline.reports.html import render_html

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = CHECKOUT / "reports/quarto/weekly_report.qmd"
MONDAY = TODAY - timedelta(days=6)
CELL = re.compile(r"^```\{python\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"!\[.*?\]\(data:[^)]*\)")
ODD = "<b>*ada*</b>"  # of a learner's id: neither HTML nor Markdown


@pytest.fixture(scope="module")
def school(module_database: str) -> str:
    rng = np.random.default_rng(4)
    params = bank_params(60, rng)
    with connected(module_database) as conn:
        publish_items(conn, params)
        theta = {ODD: 0.4, **{f"u{number}": float(value) for number, value in enumerate(rng.normal(0, 1, 10))}}
        for days, items in ((3, range(1, 21)), (10, range(21, 41)), (17, range(41, 61))):
            write_answers(conn, simulated(theta, params, items, rng, days_ago=(days,), topics=("algebra", "a|b")))
        for job in (weekly, snapshot):
            job.work(context(conn, module_database, job.JOB))
        conn.commit()
    return module_database


def shown_by(source: str, names: dict[str, Any]) -> Any:
    """What a notebook would show of a cell: the value of its last expression."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)  # noqa: S102
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None  # noqa: S307


def run_document(**parameters: str) -> list[str]:
    cells = CELL.findall(DOCUMENT.read_text())
    names: dict[str, Any] = {}
    assert shown_by(cells[0], names) is None
    assert set(parameters) <= set(names)
    names.update(parameters)
    return [shown._repr_markdown_() for cell in cells[1:] if (shown := shown_by(cell, names)) is not None]


def words(text: str) -> str:
    return " ".join(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", PICTURE.sub(" ", text)).split())


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_cells_show_every_section_of_the_page_in_its_order(
    school: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", school)
    shown = run_document(user_id=ODD, week=str(MONDAY), language=language)
    page = weekly_page(ODD, MONDAY, language=language, audience="teacher")
    assert [one for one in shown if one] == [page.head.markdown, *(page.section(key).markdown for key in page.keys)]
    drawn = html.unescape(
        re.sub(r"<[^>]+>", " ", re.sub(r"<style.*?</style>", "", render_html(page.value), flags=re.DOTALL))
    )
    numbers = set(re.findall(r"−?\d+[.,]\d+", " ".join(map(words, shown))))
    assert numbers
    assert numbers <= set(re.findall(r"−?\d+[.,]\d+", drawn))
    assert page.page.headline in words(shown[0])


def test_a_name_that_looks_like_markup_stays_text(school: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", school)
    text = "".join(run_document(user_id=ODD, week=str(MONDAY)))
    assert ODD not in text
    assert ODD in words(text)
    assert "a|b" not in text


def test_the_document_names_the_sections_that_pages_have(school: str) -> None:
    asked = re.findall(r'page\.section\("(\w+)"\)', DOCUMENT.read_text())
    keys = set(
        re.findall(
            r'Section\(\s*"(\w+)"',
            "".join(path.read_text() for path in (CHECKOUT / "src/thetaline/reports/sections").glob("*.py")),
        )
    )
    assert set(asked) == keys


def test_a_learner_without_answers_and_a_wrong_language_are_refused(
    school: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", school)
    with pytest.raises(InputError, match="nobody"):
        weekly_page("nobody", MONDAY)
    with pytest.raises(InputError, match="'fr' is none of ko, en"):
        weekly_page("u1", MONDAY, language="fr")
