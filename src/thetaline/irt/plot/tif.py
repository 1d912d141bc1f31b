"""Test information and the standard error that follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from thetaline.irt._arguments import check_kinds
from thetaline.irt.information import information
from thetaline.irt.items import Items
from thetaline.irt.plot.canvas import BLUE, FAINT, ORANGE, QUIET, canvas, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THETA = np.linspace(-4.0, 4.0, 161)
LARGEST_SE = 1.5  # what lies above says only that the test does not measure there


def tif(items: Items, *, theta: ArrayLike | None = None) -> Figure:
    """Draw the test information (left scale), the standard error of θ (right scale) and a tick at every threshold."""
    check_kinds(items=(items, Items))
    told = information(items, THETA if theta is None else theta)
    figure, (panel,) = canvas()
    panel.fill_between(told.theta, told.test, color=BLUE, alpha=0.12, linewidth=0)
    panel.plot(told.theta, told.test, color=BLUE, linewidth=2.0)
    panel.set_ylim(0.0, 1.15 * told.test.max())
    panel.set_xlim(told.theta[0], told.theta[-1])
    label(panel, x="θ", y="", title=f"Test information of {len(items)} items")
    panel.set_ylabel("information", color=BLUE, fontsize=9.5)
    panel.tick_params(axis="y", labelcolor=BLUE)
    b = items.thresholds[np.isfinite(items.thresholds)]
    panel.plot(b, np.full(b.size, 0.012), "|", color=QUIET, markersize=7, transform=panel.get_xaxis_transform())
    right = panel.twinx()
    right.spines[["top", "left", "bottom"]].set_visible(False)
    right.spines["right"].set_color(FAINT)
    right.plot(told.theta, np.where(told.se > LARGEST_SE, np.nan, told.se), color=ORANGE, linewidth=1.8, linestyle="--")
    right.set_ylim(0.0, LARGEST_SE)
    right.set_ylabel("standard error of θ", color=ORANGE, fontsize=9.5)
    right.tick_params(labelcolor=ORANGE, color=FAINT, labelsize=9, length=3)
    return figure
