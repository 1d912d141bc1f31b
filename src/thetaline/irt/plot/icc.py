"""Item characteristic curves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thetaline.irt._arguments import ability_column, check_kinds
from thetaline.irt._types import Array
from thetaline.irt.items import Items
from thetaline.irt.plot.canvas import INK, PALETTE, canvas, label, legend, spread_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMED = 8  # so many curves can still be told apart by colour and name
THETA = np.linspace(-4.0, 4.0, 161)
MAX_COLUMNS = 3


def icc(items: Items, ids: Iterable[Any] | None = None, *, theta: ArrayLike | None = None) -> Figure:
    """Draw P(right | θ); of polytomous items the probability of every category, one panel an item.

    Up to eight dichotomous items are named at their curves, more are coloured by difficulty.  Raises ItemsError for ids
    that the bank lacks.
    """
    check_kinds(items=(items, Items))
    chosen = items if ids is None else items.take(ids)
    nodes = THETA if theta is None else ability_column(theta)
    if (chosen.n_categories > 2).any():
        return _categories(chosen, nodes)
    figure, (panel,) = canvas()
    draw = _named if len(chosen) <= NAMED else _by_difficulty
    draw(panel, chosen, nodes)
    panel.set_ylim(-0.02, 1.02)
    label(panel, x="θ", y="P(right | θ)", title="Item characteristic curves")
    return figure


def _named(panel: Axes, items: Items, theta: Array) -> None:
    curves, width = items.expected_score(theta), float(np.ptp(theta))
    ends = np.array(spread_labels(curves[:, -1].tolist(), gap=0.055))
    ends -= max(0.0, ends.max() - 1.0)
    for name, curve, end, colour in zip(items.ids, curves, ends, PALETTE, strict=False):
        panel.plot(theta, curve, color=colour, linewidth=1.8)
        panel.plot(theta[-1] + width * np.array([0.0, 0.03]), [curve[-1], end], color=colour, linewidth=0.8, alpha=0.6)
        panel.text(theta[-1] + 0.037 * width, end, str(name), color=colour, fontsize=8.5, va="center")
    panel.set_xticks([tick for tick in panel.get_xticks() if theta[0] <= tick <= theta[-1]])
    panel.set_xlim(theta[0], theta[-1] + 0.16 * width)


def _by_difficulty(panel: Axes, items: Items, theta: Array) -> None:
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415  (optional, and slow to import)
    from matplotlib.colors import Normalize  # noqa: PLC0415

    scale = ScalarMappable(Normalize(*np.quantile(items.b, [0.02, 0.98])), cmap="viridis")
    for b, curve in zip(items.b, items.expected_score(theta), strict=True):
        panel.plot(theta, curve, color=scale.to_rgba(b), linewidth=0.9, alpha=0.75)
    bar = panel.figure.colorbar(scale, ax=panel, pad=0.02, extend="both")
    bar.outline.set_visible(False)
    bar.set_label("difficulty b", color=INK, fontsize=9)
    bar.ax.tick_params(labelsize=8.5, labelcolor=INK, length=0)
    panel.set_xlim(theta[0], theta[-1])


def _categories(items: Items, theta: Array) -> Figure:
    columns = min(MAX_COLUMNS, len(items))
    rows = -(-len(items) // columns)
    figure, panels = canvas(rows, columns, width=3.2 * columns + 0.6, height=2.6 * rows + 0.3, sharex=True, sharey=True)
    p, first = np.exp(items.log_prob(theta)), items.offsets
    for i, panel in enumerate(panels[: len(items)]):
        for k, curve in enumerate(p[first[i] : first[i + 1]]):
            panel.plot(theta, curve, color=PALETTE[k % len(PALETTE)], linewidth=1.7, label=str(k))
        panel.set_ylim(-0.02, 1.02)
        panel.set_xlim(theta[0], theta[-1])
        last_row, first_column = i + columns >= len(items), i % columns == 0
        label(panel, x="θ" if last_row else "", y="P(category | θ)" if first_column else "", title=str(items.ids[i]))
        panel.tick_params(labelbottom=last_row)
    most = int(np.argmax(items.n_categories))
    legend(panels[most], title="category", title_fontsize=8.5, handlelength=1.2, loc="best")
    for panel in panels[len(items) :]:
        panel.set_visible(False)
    return figure
