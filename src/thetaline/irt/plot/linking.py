"""What a link did: anchors on one scale, their residuals, the test characteristic curve before and after."""

from typing import TYPE_CHECKING

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import check_kinds
from thetaline.irt.linking import Link, LinkDiagnostics
from thetaline.irt.plot.canvas import BLUE, INK, ORANGE, QUIET, RED, canvas, label, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def linking(link: Link) -> "Figure":
    """Draw the diagnostics of a link; raises InputError where it had no usable anchor or came from `inverse`."""
    check_kinds(link=(link, Link))
    shown = link.diagnostics
    if shown is None:
        raise InputError(f"this link has no diagnostics to draw{': ' + link.reason if link.reason else ''}")
    figure, (difficulties, residuals, curves) = canvas(1, 3, width=11.5, height=3.9)
    _difficulties(difficulties, link, shown)
    _residuals(residuals, shown)
    _curves(curves, shown)
    what = (
        f"{link.method}   A = {link.A:.3f}   B = {link.B:.3f}   {link.n_anchors_used} of {link.n_common} anchors used"
    )
    figure.suptitle(what if link.linked else f"not linked: {link.reason}", color=INK, fontsize=11, x=0.01, ha="left")
    return figure


def _difficulties(panel: "Axes", link: Link, shown: LinkDiagnostics) -> None:
    linked = link.A * shown.b_new + link.B
    both = np.concatenate([linked, shown.b_reference])
    ends = [both.min() - 0.3, both.max() + 0.3]
    panel.plot(ends, ends, color=QUIET, linewidth=1.0)
    _anchors(panel, linked, shown.b_reference, shown)
    label(panel, x="b, linked", y="b, reference", title="Difficulties")
    legend(panel, loc="upper left", handletextpad=0.2)


def _residuals(panel: "Axes", shown: LinkDiagnostics) -> None:
    for at in (panel.axhline, panel.axvline):
        at(0.0, color=QUIET, linewidth=1.0)
    _anchors(panel, shown.residual_b, shown.residual_log_a, shown)
    label(panel, x="residual of b", y="residual of log a", title="Residuals")


def _anchors(panel: "Axes", x: "np.ndarray", y: "np.ndarray", shown: LinkDiagnostics) -> None:
    used, out = shown.used, ~shown.used
    panel.plot(x[used], y[used], "o", color=BLUE, alpha=0.8, markersize=5, markeredgewidth=0, label="used")
    if out.any():
        panel.plot(x[out], y[out], "X", color=RED, markersize=7, markeredgewidth=0, label="dropped")
    for name, left, up in zip(shown.ids[out], x[out], y[out], strict=True):
        panel.annotate(str(name), (left, up), xytext=(5, 3), textcoords="offset points", color=RED, fontsize=8)
    panel.margins(0.12)


def _curves(panel: "Axes", shown: LinkDiagnostics) -> None:
    reference, before, after = shown.test_curves
    panel.plot(shown.theta, reference, color=INK, linewidth=2.6, alpha=0.35, label="reference")
    panel.plot(shown.theta, before, color=ORANGE, linewidth=1.4, linestyle="--", label="before")
    panel.plot(shown.theta, after, color=BLUE, linewidth=1.6, label="after")
    panel.set_xlim(-4.0, 4.0)
    label(panel, x="θ, reference scale", y="expected score on the anchors", title="Test characteristic curve")
    legend(panel, loc="upper left")
