"""A page as words and figures in reading order, before it is HTML or PDF; all text is plain text, never markup."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from thetaline.charts import Chart, DataTable
from thetaline.reports.value import Language


class Tone(StrEnum):
    """How loud a paragraph is."""

    LEAD = "lead"
    PLAIN = "plain"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = Tone.PLAIN
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Subheading:
    """A heading within a section."""

    text: str
    kind: Literal["subheading"] = "subheading"


@dataclass(frozen=True, slots=True)
class Fact:
    """A named number; `finding` says what is known of it, `note` what it is."""

    label: str
    value: str
    note: str | None = None
    finding: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Findings side by side."""

    facts: tuple[Fact, ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names with what belongs to them, small: for those who look it up."""

    pairs: tuple[tuple[str, str], ...]
    kind: Literal["pairs"] = "pairs"


@dataclass(frozen=True, slots=True)
class Card:
    """A question, a topic or a learner: what it is, what it says, and why it is here."""

    title: str
    text: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cards:
    """Questions, topics or learners one below the other."""

    cards: tuple[Card, ...]
    kind: Literal["cards"] = "cards"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is read for itself."""

    table: DataTable
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart; its data come as a table behind it."""

    chart: Chart
    kind: Literal["figure"] = "figure"


Block = Text | Subheading | Facts | Pairs | Cards | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under its heading; `folded` names what opens it, where the medium can fold."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    folded: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The page: `kicker` above the headline, `lead` below it, then sections."""

    language: Language
    title: str
    kicker: str
    headline: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: tuple[str, ...]
    data_label: str  # opens a figure's table in HTML
    appendix_title: str  # the tables of figures in print
