"""Named values with their intervals, one below the other, against a reference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from thetaline.charts.chart import Chart, ChartText, drawn
from thetaline.charts.scale import Number, Scale, covering
from thetaline.charts.svg import circle, line, polygon, text

_WIDTH = 480.0
_LEFT, _RIGHT = 16.0, 464.0
_HEAD, _ROW, _FOOT = 26.0, 44.0, 30.0
_LONGEST_LABEL = 46  # characters of half an em; the data table has the whole name


class Shape(Enum):
    """The marks of the values; their meaning is the caption's."""

    DOT = "dot"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Row:
    """A named value with its bounds."""

    label: str
    value: float
    low: float
    high: float
    shape: Shape = Shape.DOT


def interval_rows(
    rows: Sequence[Row], words: ChartText, *, reference: float | None, reference_label: str, number: Number
) -> Chart:
    """Rows in the given order; `reference` is a named vertical line."""
    known = [bound for row in rows for bound in (row.low, row.high)] + ([] if reference is None else [reference])
    x = covering(known, start=_LEFT, end=_RIGHT, wanted=6)
    floor = _HEAD + _ROW * len(rows)
    parts = [
        *_axis(x, floor, number),
        *_reference(reference, reference_label, x, floor),
        *(part for index, row in enumerate(rows) for part in _row(row, x, _HEAD + _ROW * index)),
    ]
    return drawn(words, width=_WIDTH, height=floor + _FOOT, parts=parts)


def shortened(label: str, longest: int = _LONGEST_LABEL) -> str:
    """A label that fits; wide letters (Hangul, Han) count twice."""
    room = longest
    for index, letter in enumerate(label):
        room -= 2 if ord(letter) >= 0x1100 else 1
        if room < 0:
            return label[: max(index - 1, 1)].rstrip() + "…"
    return label


def _axis(x: Scale, floor: float, number: Number) -> Iterator[str]:
    for index, value in enumerate(x.ticks()):
        yield line(x(value), _HEAD, x(value), floor, "grid")
        yield text(x(value), floor + 20, number(value), "tick minor" if index % 2 else "tick", "middle")


def _reference(reference: float | None, label: str, x: Scale, floor: float) -> Iterator[str]:
    if reference is None:
        return
    place = x(reference)
    yield line(place, _HEAD - 6, place, floor, "here")
    third = (_RIGHT - _LEFT) / 3
    anchor = "start" if place < _LEFT + third else "end" if place > _RIGHT - third else "middle"
    yield text(place, _HEAD - 12, label, "emphasis", anchor)


def _row(row: Row, x: Scale, top: float) -> Iterator[str]:
    y = top + 31
    yield text(0, top + 17, shortened(row.label), "halo")
    yield line(x(row.low), y, x(row.high), y, "interval")
    yield _mark(row.shape, x(row.value), y)


def _mark(shape: Shape, x: float, y: float) -> str:
    if shape is Shape.DOT:
        return circle(x, y, 5, "point")
    rise = -6 if shape is Shape.UP else 6
    return polygon([(x - 6.5, y - rise * 0.8), (x + 6.5, y - rise * 0.8), (x, y + rise)], "mark")
