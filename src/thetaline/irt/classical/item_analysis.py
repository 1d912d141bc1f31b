"""Item analysis of classical test theory in one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._alignment import aligned
from thetaline.irt._arguments import check_kinds
from thetaline.irt._coding import MAX_CATEGORY, frame
from thetaline.irt._scipy import special
from thetaline.irt._types import Array, Ids, Labelled, short_repr
from thetaline.irt.classical.flags import ItemFlag, flags_of
from thetaline.irt.classical.options import Choices, OptionTable, option_table
from thetaline.irt.classical.reliability import (
    UNKNOWN,
    Reliability,
    alpha_interval,
    alpha_without,
    omega_interval,
    pairwise_covariance,
)
from thetaline.irt.classical.rest_scores import correlation, item_scores, moments_by_item
from thetaline.irt.classical.score_key import OptionMatrix, score_key
from thetaline.irt.fit import Fit
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses
from thetaline.irt.scoring import Scores
from thetaline.irt.threads import single_threaded_blas

if TYPE_CHECKING:
    import pandas as pd

MOST_ITEMS = 500  # of which omega is estimated: its fit costs I³ a step


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ItemAnalysis:
    """Statistics of I items, (I,) each, of the whole test and of options; NaN where nothing determines one."""

    ids: Ids
    n_answers: Array  # how many answered
    difficulty: Array  # mean score as a share of the highest: the share right of a dichotomous item
    mean: Array  # mean score
    sd: Array  # of the score
    item_rest: Array  # correlation of the score with the rest score (corrected item–total correlation)
    item_rest_low: Array  # Fisher's interval
    item_rest_high: Array
    alpha_without: Array  # alpha of the other items
    a: Array  # of the calibration, NaN without
    b: Array  # the location of an item of several categories is the mean of its thresholds
    alpha: Reliability
    omega: Reliability
    options: OptionTable
    flags: tuple[ItemFlag, ...]
    level: float

    def flagged(self) -> dict[object, list[str]]:
        """Return {item id: reasons} of the items that need a look."""
        reasons: dict[object, list[str]] = {}
        for flag in self.flags:
            reasons.setdefault(flag.item_id, []).append(flag.reason)
        return reasons

    def to_frame(self) -> pd.DataFrame:
        """Return one row an item, with its flags in one text.  Needs pandas."""
        reasons = self.flagged()
        names = (
            "n_answers", "difficulty", "mean", "sd", "item_rest", "item_rest_low", "item_rest_high", "alpha_without",
            "a", "b",
        )  # fmt: skip
        flags = ["; ".join(reasons.get(name, [])) for name in self.ids.tolist()]
        return frame({"item_id": self.ids, **{name: getattr(self, name) for name in names}, "flags": flags})


def item_analysis(
    responses: Any,
    *,
    key: Any = None,
    theta: Scores | Labelled | None = None,
    fit: Fit | Items | None = None,
    level: float = 0.95,
) -> ItemAnalysis:
    """Analyse items by classical test theory (Lord & Novick, 1968): difficulty, item–rest correlation, alpha, options.

    `responses` are Responses, or with a `key` the options (N, I) as `irt.score_key` takes them, of which the table of
    options then tells.  `theta` are Scores, or abilities by person, for the mean ability of an option's persons; `fit`
    gives a and b.  Where not everybody answered everything, covariances are those of pairs of items and a rest score is
    the share of points on the items that the person answered.  Omega is that of up to 500 items.

    Raises InputError for abilities or a fit that do not cover persons or items, and as `score_key` does.
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"level must lie between 0 and 1, not {level!r}")
    if key is not None:
        matrix = OptionMatrix(responses)
        responses = score_key(responses, key)
        choices = matrix.choices()
    else:
        check_kinds(responses=(responses, Responses))
        choices = Choices(responses.answer, range(MAX_CATEGORY + 1), are_alternatives=False)
    with single_threaded_blas():
        return _analysed(responses, choices, _abilities(theta, responses), _parameters(fit, responses), level)


def _analysed(
    responses: Responses, choices: Choices, theta: Array | None, parameters: tuple[Array, Array], level: float
) -> ItemAnalysis:
    scores = item_scores(responses)
    moments = moments_by_item(responses.item, scores.score, scores.score, scores.weight, responses.n_items)
    with_rest = moments_by_item(responses.item, scores.score, scores.rest, scores.weight, responses.n_items)
    item_rest = correlation(with_rest)
    covariance, n_pairs = pairwise_covariance(responses)
    n_persons = float(n_pairs.min())
    low, high = _fisher_interval(item_rest, with_rest.n, level)
    options = option_table(responses, scores, choices, theta)
    a, b = parameters
    columns: dict[str, Any] = {
        "ids": responses.item_ids,
        "n_answers": moments.n,
        "mean": moments.mean_x,
        "difficulty": np.divide(moments.mean_x, scores.full, out=np.zeros_like(scores.full), where=scores.full > 0),
        "sd": np.sqrt(_over(moments.xx, moments.n - 1.0)),
        "item_rest": item_rest,
        "alpha_without": alpha_without(covariance),
        "a": a,
        "b": b,
    }
    alpha = alpha_interval(covariance, n_persons, level)
    return ItemAnalysis(
        **columns,
        item_rest_low=low,
        item_rest_high=high,
        alpha=alpha,
        omega=omega_interval(covariance, n_persons, level) if len(covariance) <= MOST_ITEMS else UNKNOWN,
        options=options,
        flags=flags_of({**columns, "item_rest_high": high}, alpha.estimate, options, keyed=choices.are_alternatives),
        level=level,
    )


def _over(numerator: Array, denominator: Array) -> Array:
    out = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def _fisher_interval(r: Array, n: Array, level: float) -> tuple[Array, Array]:
    """Interval of a correlation by Fisher's z; NaN for fewer than 4 persons."""
    se = np.sqrt(_over(np.ones_like(n), n - 3.0))
    z, half = np.arctanh(np.clip(r, -1.0 + 1e-15, 1.0 - 1e-15)), float(special.ndtri(0.5 + level / 2.0)) * se
    return np.tanh(z - half), np.tanh(z + half)


def _abilities(theta: Scores | Labelled | None, responses: Responses) -> Array | None:
    if theta is None:
        return None
    by_id = dict(zip(theta.ids.tolist(), theta.theta.tolist(), strict=True)) if isinstance(theta, Scores) else theta
    column = np.asarray(aligned(by_id, responses.person_ids, "theta"), dtype=np.float64)
    if column.shape != responses.person_ids.shape:
        raise InputError(f"theta needs one ability for each of {responses.n_persons} persons, not shape {column.shape}")
    return np.where(np.isfinite(column), column, np.nan)


def _parameters(fit: Fit | Items | None, responses: Responses) -> tuple[Array, Array]:
    """a and b (I,) of the responses' items; b of several thresholds is their mean."""
    if fit is None:
        return np.full(responses.n_items, np.nan), np.full(responses.n_items, np.nan)
    items = fit.items if isinstance(fit, Fit) else fit
    check_kinds(fit=(items, Items))
    own = items.take(responses.item_ids.tolist())
    b = own.b if own.b.ndim == 1 else np.array([np.nanmean(row) if np.isfinite(row).any() else np.nan for row in own.b])
    return np.asarray(own.a, dtype=np.float64), np.asarray(b, dtype=np.float64)
