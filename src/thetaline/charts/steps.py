"""A scale cut into levels, with a value and its interval on it."""

from collections.abc import Iterator, Sequence

from thetaline.charts.chart import Chart, ChartText, drawn
from thetaline.charts.scale import Scale
from thetaline.charts.stacks import Marker
from thetaline.charts.svg import circle, element, line, text

_WIDTH, _HEIGHT = 480.0, 98.0
_LEFT, _RIGHT = 0.0, 480.0
_TOP, _BOTTOM = 8.0, 48.0
_VALUE = 66.0


def level_steps(
    cuts: Sequence[float], words: ChartText, *, current: int | None, marker: Marker, labels: Sequence[str]
) -> Chart:
    """Levels between rising `cuts` (one fewer than `labels`); `current` is the one that is known to hold the value."""
    margin = (cuts[-1] - cuts[0]) / max(len(cuts) - 1, 1) if len(cuts) > 1 else 1.0
    edges = [cuts[0] - margin, *cuts, cuts[-1] + margin]
    x = Scale(edges[0], edges[-1], _LEFT, _RIGHT)
    parts = [part for index, label in enumerate(labels) for part in _step(x, edges, index, label, index == current)]
    return drawn(words, width=_WIDTH, height=_HEIGHT, parts=[*parts, *_value(marker, x)])


def _step(x: Scale, edges: Sequence[float], index: int, label: str, current: bool) -> Iterator[str]:
    start, end = x(edges[index]), x(edges[index + 1])
    yield element(
        "rect",
        x=start + 1.5,
        y=_TOP,
        width=end - start - 3,
        height=_BOTTOM - _TOP,
        rx=5,
        class_="current" if current else "step",
    )
    yield text((start + end) / 2, (_TOP + _BOTTOM) / 2 + 4, label, "emphasis" if current else "tick", "middle")


def _value(marker: Marker, x: Scale) -> Iterator[str]:
    place = x(marker.value)
    yield line(x(marker.low), _VALUE, x(marker.high), _VALUE, "interval")
    yield circle(place, _VALUE, 5, "hit")
    third = (_RIGHT - _LEFT) / 3
    anchor = "start" if place < _LEFT + third / 2 else "end" if place > _RIGHT - third / 2 else "middle"
    yield text(place, _VALUE + 25, marker.label, "emphasis", anchor)
