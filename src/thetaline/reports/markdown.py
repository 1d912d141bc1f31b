"""Sections of a page as Markdown, for documents that other programs render; all text of the page stays text."""

import re
from base64 import b64encode
from collections.abc import Iterator

from thetaline.charts import DataTable
from thetaline.reports.page import Block, Cards, Fact, Facts, Figure, Pairs, Section, Subheading, Table, Text

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # each may be escaped by a backslash (CommonMark, 2.4)
_BREAKS = re.compile(r"\s*\n\s*")


def escaped(text: str) -> str:
    """The text with every sign escaped that Markdown could read, on one line."""
    return _PUNCTUATION.sub(r"\\\1", _BREAKS.sub(" ", text))


def section_markdown(section: Section) -> str:
    """Heading, paragraphs, lists, tables, and figures with their alternative text and their numbers."""
    parts = [f"## {escaped(section.title)}", *(part for block in section.blocks for part in _block(block))]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Text():
            yield escaped(block.text)
        case Subheading():
            yield f"### {escaped(block.text)}"
        case Facts():
            yield "\n".join(f"- {_fact(fact)}" for fact in block.facts)
        case Pairs():
            yield "\n".join(f"- {escaped(name)}: {escaped(value)}" for name, value in block.pairs)
        case Cards():
            yield "\n".join(
                "- " + ". ".join(_full(one) for one in (card.title, card.text, *card.notes) if one)
                for card in block.cards
            )
        case Table():
            yield _table(block.table)
        case Figure():
            yield _picture(block)
            yield escaped(block.chart.text.caption)
            yield from map(_table, block.chart.text.tables)


def _full(text: str) -> str:
    return escaped(text.rstrip(". "))


def _fact(fact: Fact) -> str:
    rest = [escaped(one) for one in (fact.finding, fact.note) if one]
    return ", ".join([f"{escaped(fact.label)}: **{escaped(fact.value)}**", *rest])


def _picture(figure: Figure) -> str:
    data = b64encode(figure.chart.standalone().encode()).decode()
    return f"![{escaped(figure.chart.text.alt)}](data:image/svg+xml;base64,{data})"


def _table(data: DataTable) -> str:
    """A pipe table with its caption."""
    rows = [data.head, tuple("---" for _ in data.head), *data.rows]
    first, ruler, *rest = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join([first, ruler.replace("\\-", "-"), *rest, "", f": {escaped(data.caption)}"])


def _cell(text: str) -> str:
    return escaped(text) or " "
