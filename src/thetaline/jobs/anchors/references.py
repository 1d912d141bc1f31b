"""Anchors: items tagged `anchor`, whose reference parameters are frozen in `question.meta` to fix the scale."""

import math
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from thetaline import db

SQL = db.sql("jobs/anchors/references.sql")


@dataclass(frozen=True, slots=True)
class AnchorItem:
    """One item with the reference frozen when it was tagged; `model` is None where the reference has none."""

    item_id: str
    a: float
    b: float
    c: float | None = None
    d: float | None = None
    model: str | None = None
    fixed: bool = False

    def params(self) -> dict[str, float]:
        """{"a", "b", "c"?, "d"?}: the reference as JSON has it."""
        values = {"a": self.a, "b": self.b, "c": self.c, "d": self.d}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class AnchorSet:
    """The usable anchors, and the reason of each tagged item that is not usable."""

    anchors: tuple[AnchorItem, ...]
    malformed: Mapping[str, str]

    def __len__(self) -> int:
        """How many are usable."""
        return len(self.anchors)

    def __iter__(self) -> Iterator[AnchorItem]:
        """The usable ones in the order of their ids."""
        return iter(self.anchors)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Of the usable ones."""
        return tuple(anchor.item_id for anchor in self.anchors)

    def frozen_under(self, model: str) -> "AnchorSet":
        """Without the anchors whose reference was frozen under another model: its a and b mean something else."""
        other = {anchor.item_id: anchor.model for anchor in self.anchors if anchor.model not in (None, model)}
        kept = tuple(anchor for anchor in self.anchors if anchor.item_id not in other)
        reasons = {item_id: f"frozen under {name}, this run fits {model}" for item_id, name in other.items()}
        return AnchorSet(kept, {**self.malformed, **reasons})


def read_anchors(conn: psycopg.Connection[Any]) -> AnchorSet:
    """Every item tagged `anchor`, sorted into usable and malformed."""
    parsed = {item_id: parse_anchor(item_id, irt) for item_id, irt in conn.execute(SQL["anchors"]).fetchall()}
    usable = tuple(one for one in parsed.values() if isinstance(one, AnchorItem))
    return AnchorSet(usable, {item_id: one for item_id, one in parsed.items() if isinstance(one, str)})


def parse_anchor(item_id: str, irt: object) -> AnchorItem | str:
    """The anchor of a `meta.irt`, or the reason why it is not usable."""
    if not isinstance(irt, dict):
        return "no meta.irt" if irt is None else f"meta.irt is {irt!r}, not an object"
    problem = _problem(irt)
    if problem:
        return problem
    model = irt.get("model")
    return AnchorItem(
        item_id=item_id,
        a=float(irt["a"]),
        b=float(irt["b"]),
        c=_number(irt.get("c")),
        d=_number(irt.get("d")),
        model=None if model is None else str(model),
    )


def _problem(irt: dict[str, Any]) -> str:
    a, b, c, d = (_number(irt.get(name)) for name in "abcd")
    for name, value in (("a", a), ("b", b)):
        if value is None:
            return f"meta.irt.{name} is {reprlib.repr(irt.get(name))}, not a finite number"
    if a is not None and a <= 0:
        return f"meta.irt.a is {irt['a']!r}, not above 0"
    if irt.get("c") is not None and (c is None or not 0 <= c < 1):
        return f"meta.irt.c is {reprlib.repr(irt['c'])}, not a number from 0 to below 1"
    if irt.get("d") is not None and (d is None or not (c or 0) < d <= 1):
        return f"meta.irt.d is {reprlib.repr(irt['d'])}, not a number above c, to 1"
    return ""


def _number(value: object) -> float | None:
    """A JSON number as a finite float; JSON may have a number beyond the range of floats."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
