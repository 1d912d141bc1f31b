"""SVG as text: elements with escaped content, and coordinates short enough to keep a drawing small."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

Attribute = str | float


def element(tag: str, content: str = "", *, markup: bool = False, **attributes: Attribute) -> str:
    """An element; `content` is text unless it is said to be `markup`; `class_` is class, `text_anchor` text-anchor."""
    body = content if markup else escape(content)
    named = "".join(f" {_name(key)}={quoteattr(_text(value))}" for key, value in attributes.items())
    return f"<{tag}{named}>{body}</{tag}>" if body else f"<{tag}{named}/>"


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def text(x: float, y: float, content: str, class_: str = "label", anchor: str = "start") -> str:
    """A line of text that starts, centres or ends at x."""
    return element("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def circle(x: float, y: float, radius: float, class_: str) -> str:
    """A circle."""
    return element("circle", cx=x, cy=y, r=radius, class_=class_)


def polyline(points: Iterable[tuple[float, float]], class_: str) -> str:
    """A line through the points."""
    return element("polyline", points=_pairs(points), class_=class_)


def polygon(points: Iterable[tuple[float, float]], class_: str) -> str:
    """An area within the points."""
    return element("polygon", points=_pairs(points), class_=class_)


def group(parts: Iterable[str], class_: str) -> str:
    """Elements together."""
    return element("g", "".join(parts), markup=True, class_=class_)


def _pairs(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_text(x)},{_text(y)}" for x, y in points)


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _text(value: Attribute) -> str:
    return value if isinstance(value, str) else f"{round(value, 1):g}"
