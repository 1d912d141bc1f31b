"""The one look of all plots: quiet axes, few colours that colour-blind readers tell apart, words beside the lines."""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from thetaline.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, FAINT = "#22313f", "#8795a1", "#e6eaee"
BLUE, ORANGE, GREEN, RED = "#0072b2", "#d55e00", "#009e73", "#b3003c"
# Okabe & Ito (2008), without the yellow, which vanishes on white
PALETTE = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9", "#8c6d1f", INK, "#e69f00")


@cache
def _figure_class() -> type:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  (optional, and slow to import)
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise InputError("plots need matplotlib: pip install 'thetaline[plot]'") from error

    class Plot(Figure):
        """A figure that notebooks show without pyplot, and that no global state keeps alive."""

        def _repr_png_(self) -> bytes:
            buffer = BytesIO()
            FigureCanvasAgg(self)
            self.savefig(buffer, format="png")
            return buffer.getvalue()

    return Plot


def canvas(
    n_rows: int = 1, n_columns: int = 1, *, width: float = 7.0, height: float = 4.2, **options: Any
) -> "tuple[Figure, Sequence[Axes]]":
    """Return a figure of inches width × height and its panels, row by row; raises InputError without matplotlib."""
    figure = _figure_class()(figsize=(width, height), dpi=120, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    panels = np.ravel(figure.subplots(n_rows, n_columns, squeeze=False, **options))
    for panel in panels:
        quiet(panel)
    return figure, list(panels)


def quiet(panel: "Axes") -> None:
    """Take away what does not inform."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(QUIET)
    panel.tick_params(colors=QUIET, labelcolor=INK, labelsize=9, length=3)
    panel.grid(visible=True, color=FAINT, linewidth=0.8)
    panel.set_axisbelow(True)


def label(panel: "Axes", *, x: str = "", y: str = "", title: str = "") -> None:
    """Name the axes and the panel."""
    panel.set_xlabel(x, color=INK, fontsize=9.5)
    panel.set_ylabel(y, color=INK, fontsize=9.5)
    panel.set_title(title, color=INK, fontsize=10.5, loc="left", fontweight="bold")


def legend(panel: "Axes", **options: Any) -> None:
    """Draw a frameless legend."""
    panel.legend(frameon=False, fontsize=8.5, labelcolor=INK, **options)


def spread_labels(positions: Sequence[float], gap: float) -> list[float]:
    """Move positions apart until neighbours are `gap` from each other; their middle stays where it was."""
    order = np.argsort(positions, kind="stable")
    placed = np.asarray(positions, dtype=np.float64)[order]
    for _ in range(200):
        short = np.maximum(gap - np.diff(placed), 0.0)
        if short.max(initial=0.0) < 1e-3 * gap:
            break
        placed[1:] += short / 2.0
        placed[:-1] -= short / 2.0
    out = np.empty_like(placed)
    out[order] = placed
    return [float(value) for value in out]
