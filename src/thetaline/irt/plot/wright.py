"""Persons and items on one scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from thetaline.irt._arguments import check_kinds
from thetaline.irt._types import Array, Labelled
from thetaline.irt.items import Items
from thetaline.irt.plot.canvas import BLUE, INK, ORANGE, canvas, label
from thetaline.irt.scoring import Scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMED = 40  # more labels than this cannot be read
BIN, ROW, DOT = 0.25, 0.2, 0.1  # logits a bar, a row of names, a row of dots


def wright_map(items: Items, persons: Scores | Labelled) -> Figure:
    """Draw a histogram of abilities beside the difficulties (thresholds) of the items; up to 40 are named.

    Patterns count as the persons they stand for.  Persons without a finite score are counted in the caption.
    """
    check_kinds(items=(items, Items))
    values = list(persons.values()) if isinstance(persons, Mapping) else persons
    theta = np.asarray(persons.theta if isinstance(persons, Scores) else values, dtype=np.float64)
    counts = persons.counts if isinstance(persons, Scores) else np.ones(theta.shape)
    finite, weight = theta[np.isfinite(theta)], counts[np.isfinite(theta)]
    owner, step = np.nonzero(np.isfinite(items.thresholds))
    b = items.thresholds[owner, step]
    figure, (left, right) = canvas(1, 2, width=7.0, height=6.0, sharey=True, gridspec_kw={"width_ratios": [1.0, 1.5]})
    edges = np.arange(
        np.floor(min(finite.min(initial=0.0), b.min())), np.ceil(max(finite.max(initial=0.0), b.max())) + BIN / 2, BIN
    )
    left.hist(
        finite, bins=edges.tolist(), weights=weight, orientation="horizontal", color=BLUE, alpha=0.75, rwidth=0.92
    )
    left.invert_xaxis()
    hidden = f"{counts.sum() - weight.sum():g}" if finite.size < theta.size else ""
    label(left, x="persons" + (f" ({hidden} without a finite score)" if hidden else ""), y="θ", title="Persons")
    many = len(b) > NAMED
    (_cloud if many else _names)(
        right, b, [_name(items, i, v) for i, v in zip(owner.tolist(), step.tolist(), strict=True)]
    )
    label(right, x="items" if many else "", title="Items" if items.b.ndim == 1 else "Thresholds")
    for panel, values, share, colour in ((left, finite, weight, BLUE), (right, b, np.ones(b.size), ORANGE)):
        if values.size:
            panel.axhline(float(values @ share / share.sum()), color=colour, linewidth=1.0, linestyle=":")
    return figure


def _name(items: Items, i: int, step: int) -> str:
    return str(items.ids[i]) + (f".{step + 1}" if items.n_categories[i] > 2 else "")


def _names(panel: Axes, b: Array, names: list[str]) -> None:
    """Names side by side in rows of a line's height, as the map has it by tradition; the dots are exact."""
    rows: dict[int, list[str]] = {}
    for at in np.argsort(b, kind="stable"):
        rows.setdefault(round(float(b[at]) / ROW), []).append(names[at])
    panel.plot(np.zeros(len(b)), b, "o", color=ORANGE, markersize=5, alpha=0.8, markeredgewidth=0)
    for row, together in rows.items():
        panel.text(0.06, row * ROW, "   ".join(together), color=INK, fontsize=8.5, va="center")
    panel.set_xlim(-0.04, 1.0)
    panel.set_xticks([])
    panel.grid(visible=False, axis="x")


def _cloud(panel: Axes, b: Array, _names: list[str]) -> None:
    """Dots of one row side by side: a histogram of its own."""
    row = np.round(b / DOT).astype(np.intp)
    order = np.argsort(row, kind="stable")
    place = np.empty(len(b))
    place[order] = np.arange(len(b)) - np.searchsorted(row[order], row[order])
    panel.plot(place + 0.5, row * DOT, "o", color=ORANGE, alpha=0.8, markersize=4.5, markeredgewidth=0)
    panel.set_xlim(0.0, max(6.0, float(place.max()) + 2.0))
