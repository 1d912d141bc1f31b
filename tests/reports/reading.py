"""What a page shows, read back from its HTML: lines of visible text by section, cells apart, and the tags in order."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

UNSEEN = {"style", "title", "desc", "script"}
LINES = {"p", "h1", "h2", "h3", "li", "dt", "dd", "tr", "figcaption", "summary", "caption", "text"}
VOID = {"meta", "br", "circle", "line", "rect", "polyline", "polygon"}


@dataclass
class ReadPage(HTMLParser):
    """`lines` by the id of the section ("head" before the first); ticks of axes are in no line."""

    lines: dict[str, list[str]] = field(default_factory=lambda: {"head": []})
    tags: list[str] = field(default_factory=list)
    section: str = "head"
    _open: list[tuple[str, bool]] = field(default_factory=list)  # tag, shown

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        if tag == "section":
            self.section = named["id"] or ""
            self.lines[self.section] = []
        if tag in LINES:
            self.lines[self.section].append("")
        if tag in {"td", "th"} and self.lines[self.section][-1]:
            self.lines[self.section][-1] += " | "
        if tag not in VOID:
            shown = not self._open or self._open[-1][1]
            is_tick = "tick" in (named.get("class") or "").split()
            self._open.append((tag, shown and tag not in UNSEEN and not is_tick))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop()[0] == tag
        if tag == "section":
            self.section = "head"

    def handle_startendtag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][1] and data.strip():
            lines = self.lines[self.section]
            lines[-1] += data


def read(html: str) -> ReadPage:
    """The page as somebody reads it; every tag that opens has to close in order."""
    page = ReadPage()
    page.feed(html)
    page.close()
    assert page._open == []
    page.lines = {key: [line for line in lines if line.strip()] for key, lines in page.lines.items()}
    return page


def text_of(html: str) -> str:
    """All visible text, section by section."""
    return "\n".join(f"[{key}]\n" + "\n".join(lines) + "\n" for key, lines in read(html).lines.items())
