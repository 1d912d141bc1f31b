"""Dots on one scale, stacked where they meet: items beside the learner, or a class's learners."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thetaline.charts.chart import Chart, ChartText, drawn
from thetaline.charts.scale import Number, Scale, covering
from thetaline.charts.svg import circle, element, group, line, text

_WIDTH = 480.0
_LEFT, _RIGHT = 16.0, 464.0
_HEAD, _FOOT = 34.0, 52.0
_GAP = 13.0  # between dots that do not touch
_HIGHEST = 190.0
_LOWEST = 70.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A value; one that is not `filled` is drawn open with a cross."""

    value: float
    filled: bool


@dataclass(frozen=True, slots=True)
class Marker:
    """What the dots are seen against: a named line with its interval."""

    label: str
    value: float
    low: float
    high: float


def stacked_dots(
    dots: Sequence[Dot], words: ChartText, *, marker: Marker | None, ends: tuple[str, str], number: Number
) -> Chart:
    """Dots on a scale whose low and high ends are named by `ends`."""
    seen = [dot.value for dot in dots] + ([marker.low, marker.high] if marker else [])
    x = covering(seen, start=_LEFT, end=_RIGHT, least=2.0, wanted=6)
    columns = _columns(dots, x)
    tallest = max((len(column) for _, column in columns), default=1)
    rise = min(_GAP, _HIGHEST / tallest)
    floor = _HEAD + max(tallest * rise, _LOWEST)
    parts = [
        *_marker(marker, x, floor),
        *_axis(x, floor, ends, number),
        *(
            _dot(dot, place, floor - rise * (level + 0.5))
            for place, column in columns
            for level, dot in enumerate(column)
        ),
    ]
    return drawn(words, width=_WIDTH, height=floor + _FOOT, parts=parts)


def _columns(dots: Sequence[Dot], x: Scale) -> list[tuple[float, list[Dot]]]:
    """Dots by column of the width of a dot, filled ones below."""
    found: dict[int, list[Dot]] = {}
    for dot in sorted(dots, key=lambda one: (one.value, not one.filled)):
        found.setdefault(round((x(dot.value) - _LEFT) / _GAP), []).append(dot)
    return [(_LEFT + _GAP * column, sorted(own, key=lambda one: not one.filled)) for column, own in found.items()]


def _dot(dot: Dot, x: float, y: float) -> str:
    radius = 5.0
    if dot.filled:
        return circle(x, y, radius, "hit")
    arm = 2.3
    strokes = [line(x - arm, y - arm, x + arm, y + arm, "cross"), line(x - arm, y + arm, x + arm, y - arm, "cross")]
    return group([circle(x, y, radius, "miss"), *strokes], "missed")


def _marker(marker: Marker | None, x: Scale, floor: float) -> Iterator[str]:
    if marker is None:
        return
    low, high = x(marker.low), x(marker.high)
    yield element("rect", x=low, y=_HEAD - 8, width=max(high - low, 1.0), height=floor - _HEAD + 8, class_="outer")
    yield line(x(marker.value), _HEAD - 8, x(marker.value), floor, "here")
    yield text(x(marker.value), _HEAD - 15, marker.label, "emphasis", _anchor(x(marker.value)))


def _anchor(place: float) -> str:
    """Text near an edge grows inward."""
    third = (_RIGHT - _LEFT) / 3
    return "start" if place < _LEFT + third / 2 else "end" if place > _RIGHT - third / 2 else "middle"


def _axis(x: Scale, floor: float, ends: tuple[str, str], number: Number) -> Iterator[str]:
    yield line(_LEFT, floor, _RIGHT, floor, "axis")
    for index, value in enumerate(x.ticks()):
        yield line(x(value), floor, x(value), floor + 4, "axis")
        yield text(x(value), floor + 19, number(value), "tick minor" if index % 2 else "tick", "middle")
    yield text(0, floor + 40, f"← {ends[0]}", "tick")
    yield text(_WIDTH, floor + 40, f"{ends[1]} →", "tick", "end")
