"""Does the model fit: mean squares of all items, and observed against expected scores of some."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thetaline.irt._alignment import aligned
from thetaline.irt._arguments import check_kinds
from thetaline.irt._scipy import special
from thetaline.irt._types import Array
from thetaline.irt.fit_statistics import ItemFit
from thetaline.irt.fit_statistics.estimated import answers_within
from thetaline.irt.items import Items
from thetaline.irt.plot.canvas import BLUE, FAINT, INK, ORANGE, QUIET, canvas, label, legend
from thetaline.irt.responses import Responses
from thetaline.irt.scoring import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

USUAL = (0.7, 1.3)  # Wright & Linacre (1994), for tests that matter little to the single learner
MAX_COLUMNS = 3
Z95 = 1.96


def item_fit(fit: ItemFit) -> "Figure":
    """Draw infit and outfit of every item, sorted by infit, with the usual range 0.7 … 1.3."""
    check_kinds(fit=(fit, ItemFit))
    order = np.argsort(fit.infit)
    place = np.arange(len(order))
    figure, (panel,) = canvas(width=6.2, height=max(2.6, 0.2 * len(order) + 1.2))
    panel.axvspan(*USUAL, color=FAINT, alpha=0.6, linewidth=0, label=f"usual, {USUAL[0]} … {USUAL[1]}")
    panel.axvline(1.0, color=QUIET, linewidth=1.0)
    panel.hlines(place, fit.infit[order], fit.outfit[order], color=QUIET, linewidth=0.8)
    panel.plot(fit.infit[order], place, "o", color=BLUE, markersize=5, label="infit")
    panel.plot(fit.outfit[order], place, "D", color=ORANGE, markersize=4, label="outfit")
    panel.set_yticks(place, [str(name) for name in fit.ids[order]], fontsize=8)
    panel.set_ylim(-0.8, len(order) - 0.2)
    panel.grid(visible=False, axis="y")
    label(panel, x="mean square, 1 under the model", title="Item fit")
    legend(panel, loc="lower right")
    return figure


class Bins(NamedTuple):
    """Persons of like ability: where they are, their mean score, its standard error, (B,) each."""

    theta: Array
    score: Array
    se: Array


def residuals(
    items: Items, responses: Responses, scores: Scores, ids: Iterable[Any] | None = None, *, n_bins: int = 10
) -> "Figure":
    """Draw observed mean scores with 95 % intervals in bins of θ against the curve, one panel an item.

    `scores` are EAP, matched to the responses by person id; `ids` are answered items, default the first nine.  Raises
    ItemsError for unknown ones, InputError for persons without a score.
    """
    check_kinds(items=(items, Items), responses=(responses, Responses), scores=(scores, Scores))
    responses = answers_within(items, responses)
    chosen = items.take(list(responses.item_ids[:9] if ids is None else ids))
    columns = min(MAX_COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, panels = canvas(rows, columns, width=3.1 * columns + 0.5, height=2.5 * rows + 0.3, sharex=True)
    theta = np.linspace(-3.5, 3.5, 141)
    curves = chosen.expected_score(theta)
    for i, panel in enumerate(panels[: len(chosen)]):
        bins = _bins(responses, scores, chosen.ids[i], n_bins)
        panel.plot(theta, curves[i], color=BLUE, linewidth=1.7)
        panel.errorbar(bins.theta, bins.score, Z95 * bins.se, fmt="o", color=INK, markersize=4, elinewidth=1.0)
        panel.set_ylim(-0.04, chosen.n_categories[i] - 1 + 0.04)
        last_row, first_column = i + columns >= len(chosen), i % columns == 0
        label(panel, x="θ" if last_row else "", y="mean score" if first_column else "", title=str(chosen.ids[i]))
        panel.tick_params(labelbottom=last_row)
    for panel in panels[len(chosen) :]:
        panel.set_visible(False)
    return figure


def _positions(scores: Scores) -> dict[object, int]:
    """Row of each person's score."""
    return {name: row for row, name in enumerate(scores.ids.tolist())}


def _bins(responses: Responses, scores: Scores, item: Any, n_bins: int) -> Bins:
    """Mean scores by bins of θ, each person shared out over the bins as the posterior N(θ, se²) is.

    Putting persons where their EAP is would draw a misfit of shrunken scores against a curve over θ.
    """
    mine = responses.item == responses.item_ids.tolist().index(item)
    person, answer = responses.person[mine], responses.answer[mine].astype(np.float64)
    place = aligned(_positions(scores), responses.person_ids, "scores")[person]
    theta, se = scores.theta[place], scores.se[place]
    known = np.isfinite(theta) & np.isfinite(se)
    theta, se, answer, count = theta[known], se[known], answer[known], responses.counts[person[known]]
    edges = np.linspace(np.quantile(theta, 0.01), np.quantile(theta, 0.99), n_bins + 1)
    share = count[:, None] * np.diff(special.ndtr((edges - theta[:, None]) / se[:, None]), axis=1)
    n = share.sum(axis=0)
    mean = answer @ share / n
    return Bins(0.5 * (edges[1:] + edges[:-1]), mean, np.sqrt((np.square(answer) @ share / n - mean**2) / n))
