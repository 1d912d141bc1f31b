"""θ over weeks: each week's own measure with its interval, the line through them, the goal, and what may follow."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thetaline.charts.chart import Chart, ChartText, drawn
from thetaline.charts.scale import Number, Scale, covering
from thetaline.charts.svg import circle, group, line, polygon, polyline, text

_WIDTH, _HEIGHT = 480.0, 280.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 42.0, 462.0, 12.0, 244.0
_MOST_LABELS = 6
_FARTHEST = 4.0  # intervals are drawn up to it: a week of two answers would flatten all others


@dataclass(frozen=True, slots=True)
class Ranged:
    """A value with its bounds at the place x."""

    x: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ahead:
    """A predicted value at the place x with its inner (80 %) and outer (95 %) bounds."""

    x: float
    value: float
    inner: tuple[float, float]
    outer: tuple[float, float]


@dataclass(frozen=True, slots=True)
class TrendData:
    """What the chart shows; `labels` are (x, text) along the axis, oldest first."""

    measures: Sequence[Ranged]
    fitted: Sequence[tuple[float, float]]
    goal: float | None
    ahead: Sequence[Ahead]
    labels: Sequence[tuple[float, str]]


def trend_chart(data: TrendData, words: ChartText, *, goal_label: str, number: Number) -> Chart:
    """The chart of θ by week; `number` writes the values of the axis."""
    x, y = _across(data), _upward(data)
    parts = [
        *_grid(y, number),
        *_weeks(data.labels, x),
        *_fan(data.ahead, x, y),
        *_goal(data.goal, y, goal_label),
        *_line(data.fitted, x, y),
        *(_measure(one, x, y) for one in data.measures),
    ]
    return drawn(words, width=_WIDTH, height=_HEIGHT, parts=parts)


def _across(data: TrendData) -> Scale:
    places = [place for place, _ in data.labels]
    week = 7.0
    return Scale(min(places) - week / 2, max(places) + week / 2, _LEFT, _RIGHT)


def _upward(data: TrendData) -> Scale:
    bounds = [bound for one in data.measures for bound in (one.value, one.low, one.high)]
    bounds += [bound for one in data.ahead for bound in one.outer]
    shown = [min(max(bound, -_FARTHEST), _FARTHEST) for bound in bounds]
    shown += [value for _, value in data.fitted]
    if data.goal is not None:
        shown.append(data.goal)
    return covering(shown, start=_BOTTOM, end=_TOP, wanted=6)


def _grid(y: Scale, number: Number) -> Iterator[str]:
    for value in y.ticks():
        yield line(_LEFT, y(value), _RIGHT, y(value), "grid")
        yield text(_LEFT - 8, y(value) + 4, number(value), "tick", "end")


def _weeks(labels: Sequence[tuple[float, str]], x: Scale) -> Iterator[str]:
    """The newest week is always named; of many, every other is `minor`: left out on narrow screens."""
    every = math.ceil(len(labels) / _MOST_LABELS)
    named = list(labels)[::-1][::every][::-1]
    for from_newest, (place, label) in zip(range(len(named) - 1, -1, -1), named, strict=True):
        yield text(x(place), _BOTTOM + 22, label, "tick minor" if from_newest % 2 else "tick", "middle")


def _fan(ahead: Sequence[Ahead], x: Scale, y: Scale) -> Iterator[str]:
    if not ahead:
        return
    for class_, bounds in (("outer", [one.outer for one in ahead]), ("inner", [one.inner for one in ahead])):
        low = [(x(one.x), y(bound[0])) for one, bound in zip(ahead, bounds, strict=True)]
        high = [(x(one.x), y(bound[1])) for one, bound in zip(ahead, bounds, strict=True)]
        yield polygon(low + high[::-1], class_)
    yield polyline([(x(one.x), y(one.value)) for one in ahead], "ahead")


def _goal(goal: float | None, y: Scale, label: str) -> Iterator[str]:
    if goal is None:
        return
    yield line(_LEFT, y(goal), _RIGHT, y(goal), "goal")
    below = y(goal) < _TOP + 20
    yield text(_LEFT + 4, y(goal) + (16 if below else -6), label, "halo")


def _measure(one: Ranged, x: Scale, y: Scale) -> str:
    place = x(one.x)
    return group(
        [line(place, y(one.low), place, y(one.high), "interval"), circle(place, y(one.value), 4.5, "point")], "week"
    )


def _line(fitted: Sequence[tuple[float, float]], x: Scale, y: Scale) -> Iterator[str]:
    if len(fitted) > 1:
        yield polyline([(x(place), y(value)) for place, value in fitted], "line")
