"""What a chart is: a drawing, its words and its numbers together, so that no page can show one without the others."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from thetaline.charts.palette import LIGHT, Palette
from thetaline.charts.svg import element

_VARIABLE = re.compile(r"var\(--([a-z]+)\)")


@dataclass(frozen=True, slots=True)
class DataTable:
    """The numbers of a chart as people read them; the first cell of a row names it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ChartText:
    """What a chart says beside its drawing, in the reader's language; `key` begins the ids of a drawing on a page."""

    key: str
    title: str
    alt: str
    caption: str
    tables: tuple[DataTable, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its words and data.

    `svg` is styled by classes alone (`style_sheet`), so that a page's own colours, dark or printed, reach it;
    `standalone` brings colours along.
    """

    svg: str
    text: ChartText

    def standalone(self, *, font: str = "sans-serif", palette: Palette = LIGHT) -> str:
        """The drawing as an SVG document of its own, in the colours of `palette`."""
        rules = _VARIABLE.sub(lambda found: palette[found[1]], style_sheet())
        style = element("style", f"{rules}text{{font-family:'{font}'}}", markup=True)
        return self.svg.replace(">", f">{style}", 1)

    def _repr_html_(self) -> str:
        """What notebooks show."""
        return f"<figure>{self.standalone()}<figcaption>{element('span', self.text.caption)}</figcaption></figure>"


@cache
def style_sheet() -> str:
    """The rules for the classes that charts use, with colours as CSS variables of `palette`."""
    return files("thetaline.charts").joinpath("style.css").read_text(encoding="utf-8")


def drawn(text: ChartText, *, width: float, height: float, parts: list[str]) -> Chart:
    """A chart that a screen reader tells as one picture by its title and description."""
    title, desc = f"{text.key}-title", f"{text.key}-desc"
    svg = element(
        "svg",
        element("title", text.title, id=title) + element("desc", text.alt, id=desc) + "".join(parts),
        markup=True,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{title} {desc}",
        class_="chart",
    )
    return Chart(svg, text)
