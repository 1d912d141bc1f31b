"""Fit of every item: infit, outfit, S-X² and RMSD in one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._coding import frame
from thetaline.irt._types import Array, Ids, Ints, Labelled, short_repr
from thetaline.irt.fit_statistics.estimated import (
    Calibration,
    Estimated,
    abilities,
    answers_within,
    check_fit,
    estimated,
)
from thetaline.irt.fit_statistics.infit import infit_and_outfit
from thetaline.irt.fit_statistics.posterior_residuals import posterior_mean_squares
from thetaline.irt.fit_statistics.residuals import answers_by_item, complete_persons
from thetaline.irt.fit_statistics.rmsd import rmsd
from thetaline.irt.fit_statistics.s_x2 import Cells, expected_proportions, merged, observed_counts
from thetaline.irt.lord_wingersky import category_tables
from thetaline.irt.p_values import p_value
from thetaline.irt.responses import Responses

if TYPE_CHECKING:
    import pandas as pd


def eap_mean_squares(model: Estimated, responses: Responses) -> Array:
    """Infit, its z, outfit, its z at each person's EAP: (4, I)."""
    result = np.full((4, len(model.items)), np.nan)
    for answers in answers_by_item(model.items, responses, abilities(model, responses)):
        infit, outfit = infit_and_outfit(answers, responses.counts[answers.person])
        result[:, answers.item] = *infit, *outfit
    return result


RESIDUALS: dict[str, Callable[[Estimated, Responses], Array]] = {
    "posterior": posterior_mean_squares,
    "EAP": eap_mean_squares,
}


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ItemFit:
    """Fit statistics of I items, (I,) each; NaN where there is nothing to compute one from."""

    ids: Ids
    n_answers: Array  # persons who answered the item; infit, outfit and RMSD rest on them
    infit: Array  # mean square of residuals, weighted by information: 1 under the model
    infit_z: Array  # about N(0, 1) under the model; of residuals at the EAP no test, see `item_fit`
    outfit: Array  # unweighted
    outfit_z: Array
    s_x2: Array
    s_x2_df: Ints  # 0 where the cells do not outnumber the parameters; s_x2 and its p are NaN there
    s_x2_p: Array
    rmsd: Array
    n_complete: float  # persons who answered every item; S-X² rests on them, for it compares sum scores

    def flagged(self, alpha: float = 0.05) -> Ids:
        """Ids with a p of S-X² below `alpha`."""
        return self.ids[self.s_x2_p < alpha]

    def to_frame(self) -> pd.DataFrame:
        """One row an item; needs pandas."""
        residuals = {"infit": self.infit, "infit_z": self.infit_z, "outfit": self.outfit, "outfit_z": self.outfit_z}
        score = {"s_x2": self.s_x2, "s_x2_df": self.s_x2_df, "s_x2_p": self.s_x2_p}
        return frame({"item_id": self.ids, "n_answers": self.n_answers, **residuals, **score, "rmsd": self.rmsd})


class _SX2(NamedTuple):
    statistic: Array
    df: Ints
    n_complete: float


def item_fit(
    fit: Calibration,
    responses: Responses,
    *,
    groups: Labelled | None = None,
    least_expected: float = 1.0,
    residuals: str = "posterior",
) -> ItemFit:
    """Compare the answers with what the calibration says, item by item.

    Infit and outfit take all answers. Their `residuals` are those over each person's "posterior", which average 1 under
    the model with a z to test by, or those at the "EAP" as in the R package mirt: an answer is part of the EAP that
    predicts it, so that those lie below 1 and their z below 0 under the model, the more the shorter the test, and are
    no test. Cells of S-X² are merged until each expects `least_expected` persons. S-X² is NaN where nobody is complete.
    Degrees of freedom lose the item's estimated parameters (Rasch and PCM: with the spread of θ), none for a fixed
    anchor.
    `groups`, labels as for `calibrate`, are needed where it had several.

    Raises ResponsesError where no answered item is in the calibration; InputError for missing or unknown groups and
    for other residuals.
    """
    check_fit(fit, responses)
    if residuals not in RESIDUALS:
        raise InputError(f"unknown residuals {residuals!r}; choose one of {', '.join(RESIDUALS)}")
    known = answers_within(fit.items, responses)
    model = estimated(fit, known, groups)
    mean_squares = RESIDUALS[residuals](model, known)
    s_x2 = _s_x2(model, known, least_expected)
    n_answers = np.zeros(len(model.items))
    n_answers[model.items.positions(known.item_ids)] = np.bincount(
        known.item, weights=known.counts[known.person], minlength=known.n_items
    )
    return ItemFit(
        ids=model.items.ids,
        n_answers=n_answers,
        infit=mean_squares[0],
        infit_z=mean_squares[1],
        outfit=mean_squares[2],
        outfit_z=mean_squares[3],
        s_x2=s_x2.statistic,
        s_x2_df=s_x2.df,
        s_x2_p=p_value(s_x2.statistic, s_x2.df),
        rmsd=rmsd(model, known),
        n_complete=s_x2.n_complete,
    )


def _s_x2(model: Estimated, responses: Responses, least: float) -> _SX2:
    """Statistic and degrees of freedom of every item; groups keep their own expected counts and are then added."""
    complete = complete_persons(model.items, responses)
    n_items, sizes = len(model.items), model.items.n_categories
    statistic, df = np.full(n_items, np.nan), np.zeros(n_items, dtype=np.int64)
    if not complete.person.size:
        return _SX2(statistic, df, 0.0)
    tables = [Cells(np.zeros((1, 1)), np.zeros((1, 1)))] * n_items
    for g in np.unique(model.group[complete.person]):
        rows = model.group[complete.person] == g
        observed = observed_counts(complete.answers[rows], complete.counts[rows], sizes)
        population = model.population
        proportions = expected_proportions(category_tables(model.items, population.nodes[g]), population.weights[g])
        tables = [_added(t, o, p) for t, o, p in zip(tables, observed, proportions, strict=True)]
    for i, cells in enumerate(tables):
        left = merged(cells, least=least)
        df[i] = max(left.degrees - model.n_estimated(i), 0)
        statistic[i] = left.statistic if df[i] else np.nan
    return _SX2(statistic, df, float(complete.counts.sum()))


def _added(cells: Cells, observed: Array, proportions: Array) -> Cells:
    """Add a group's table to those before; expected counts share its row totals."""
    expected = proportions * observed.sum(axis=1, keepdims=True)
    return Cells(cells.observed + observed, cells.expected + expected)
