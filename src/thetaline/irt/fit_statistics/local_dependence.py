"""Q3: correlations of item residuals, which show pairs of items that share more than ability (Yen 1984)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thetaline.irt._coding import frame
from thetaline.irt._scipy import sparse
from thetaline.irt._types import Array, Ids, Ints, Labelled, short_repr
from thetaline.irt.fit_statistics.estimated import Calibration, abilities, answers_within, check_fit, estimated
from thetaline.irt.fit_statistics.residuals import answers_by_item
from thetaline.irt.items import Items
from thetaline.irt.p_values import check_level, two_sided
from thetaline.irt.responses import Responses

if TYPE_CHECKING:
    import pandas as pd


LARGE = 0.2  # above the mean of all pairs; Christensen, Makransky & Horton (2017)
LEAST_PERSONS = 3  # fewer points always lie on a line
DENSE = 0.2  # share of cells observed from which dense products are faster than sparse ones


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class LocalDependence:
    """Q3 of I items, and the pairs that stand out of it."""

    ids: Ids
    q3: Array  # (I, I) 1 on the diagonal; NaN where fewer than three people answered both
    n_persons: Array  # (I, I) people who answered both
    mean: float  # over the pairs, weighted by people; about −1 / (I − 1) without dependence
    pairs: Ids  # (F, 2) ids of the flagged pairs, most dependent first
    pair_q3: Array  # (F,) of those pairs, `mean` taken off
    pair_p: Array  # (F,) two-sided, by Fisher's z of Q3 less the mean; Bonferroni over all pairs

    def to_frame(self) -> pd.DataFrame:
        """One row a flagged pair; needs pandas."""
        left, right = self.pairs.T
        return frame({"item_id": left, "other_item_id": right, "q3_above_mean": self.pair_q3, "p": self.pair_p})


def local_dependence(
    fit: Calibration,
    responses: Responses,
    *,
    groups: Labelled | None = None,
    large: float = LARGE,
    alpha: float = 0.05,
) -> LocalDependence:
    """Correlate the residuals at each person's EAP, every pair over the persons who answered both items.

    A pair is flagged when its Q3 lies more than `large` from the mean of all pairs and Fisher's z says, after
    Bonferroni, that so large a distance is not by chance: with few common persons a large Q3 means little.  `groups`,
    labels as for `calibrate`, are needed where it had several.

    Raises ResponsesError where no answered item is in the calibration, InputError for an alpha that is no level.
    """
    check_fit(fit, responses)
    check_level(alpha)
    known = answers_within(fit.items, responses)
    model = estimated(fit, known, groups)
    q3, n = residual_correlations(model.items, known, abilities(model, known))
    return flagged(model.items.ids, q3, n, large=large, alpha=alpha)


class _Residuals(NamedTuple):
    """Weighted residuals √n r, their pattern √n and √n r², (N, I) each, dense or sparse; n is the person's count."""

    value: Any
    seen: Any
    squared: Any


def residual_correlations(items: Items, responses: Responses, theta: Array) -> tuple[Array, Array]:
    """Correlations of x − E(x | θ) over the people who answered both items, and how many those are, (I, I) each."""
    r = _residuals(items, responses, theta)
    n, first, second, cross = (
        _dense(left.T @ right)
        for left, right in ((r.seen, r.seen), (r.value, r.seen), (r.squared, r.seen), (r.value, r.value))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = cross - first * first.T / n
        variance = second - first**2 / n
        q3 = covariance / np.sqrt(variance * variance.T)
    q3[n < LEAST_PERSONS] = np.nan
    return q3, n


def _residuals(items: Items, responses: Responses, theta: Array) -> _Residuals:
    rows, columns, values = [], [], []
    for answers in answers_by_item(items, responses, theta):
        mean, _, _ = answers.central_moments()
        rows.append(answers.person)
        columns.append(np.full(answers.person.size, answers.item))
        values.append(answers.answer - mean)
    place = (np.concatenate(rows), np.concatenate(columns))
    value, weight = np.concatenate(values), np.sqrt(responses.counts[place[0]])
    shape = (responses.n_persons, items.n_items)
    table = _dense_table if responses.density > DENSE else _sparse_table
    return _Residuals(*(table(entry, place, shape) for entry in (weight * value, weight, weight * value**2)))


def _dense_table(values: Array, place: tuple[Ints, Ints], shape: tuple[int, int]) -> Any:
    table = np.zeros(shape)
    table[place] = values
    return table


def _sparse_table(values: Array, place: tuple[Ints, Ints], shape: tuple[int, int]) -> Any:

    return sparse.csr_array((values, place), shape=shape)


def _dense(product: Any) -> Array:
    return np.asarray(product.toarray() if hasattr(product, "toarray") else product, dtype=np.float64)


def flagged(ids: Ids, q3: Array, n: Array, *, large: float, alpha: float) -> LocalDependence:
    """Take the mean off every pair and keep those that are large and not by chance."""
    first, second = np.triu_indices(ids.size, 1)
    pair, people = q3[first, second], n[first, second]
    known = np.isfinite(pair)
    mean = float(np.average(pair[known], weights=people[known])) if known.any() else np.nan
    above = pair - mean
    p = _by_chance(above, people) * max(int(known.sum()), 1)
    # A comparison with NaN is False: a pair that too few answered is never flagged.
    chosen = np.flatnonzero((np.abs(above) > large) & (p < alpha))
    chosen = chosen[np.argsort(-np.abs(above[chosen]), kind="stable")]
    pairs = np.stack([ids[first[chosen]], ids[second[chosen]]], axis=1)
    return LocalDependence(ids, q3, n, mean, pairs, above[chosen], np.minimum(p[chosen], 1.0))


def _by_chance(correlation: Array, n: Array) -> Array:
    """Two-sided tail of Fisher's z."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return two_sided(np.arctanh(np.clip(correlation, -1.0, 1.0)) * np.sqrt(np.maximum(n - LEAST_PERSONS, 0.0)))
