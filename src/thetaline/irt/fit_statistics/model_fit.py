"""Fit of the whole model: M2 with its p, RMSEA, SRMSR, CFI and TLI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.errors import InputError, ResponsesError
from thetaline.irt._types import Array, Categories, Labelled, short_repr
from thetaline.irt.fit_statistics.estimated import Calibration, Estimated, answers_within, check_fit, estimated
from thetaline.irt.fit_statistics.m2 import MomentFit, Rmsea, cfi, m2, rmsea, srmsr, tli
from thetaline.irt.fit_statistics.moments import (
    Features,
    category_features,
    covariance,
    expected,
    item_columns,
    item_derivatives,
    observed,
    population_columns,
    score_features,
)
from thetaline.irt.fit_statistics.residuals import complete_persons
from thetaline.irt.items import Items
from thetaline.irt.lord_wingersky import category_tables
from thetaline.irt.p_values import p_value
from thetaline.irt.responses import Responses

Build = Callable[[list[Array]], Features]

MARGINS: dict[str, Build] = {"M2": category_features, "M2*": score_features}
LARGEST = 12_000  # moments; their covariance then takes 1.2 GB


@short_repr
@dataclass(frozen=True, slots=True)
class ModelFit:
    """Limited-information fit; all of it rests on the `n_persons` who answered every item."""

    statistic: str  # "M2": every first and second margin; "M2*": means of scores and of their products
    m2: float
    df: int
    p: float
    rmsea: Rmsea
    srmsr: float
    cfi: float
    tli: float
    n_persons: float


class _Sample(NamedTuple):
    """Complete persons of one group and the population that they come from."""

    answers: Categories
    counts: Array
    nodes: Array
    weights: Array
    free: tuple[float, float] | None  # mean and sd, where they were estimated


def model_fit(
    fit: Calibration, responses: Responses, *, groups: Labelled | None = None, statistic: str | None = None
) -> ModelFit:
    """M2 of Maydeu-Olivares & Joe (2006), or M2* of Cai & Hansen (2013) with one score an item.

    For two categories both are the same. Without a choice, more categories take M2*, whose moments do not grow with K,
    unless its degrees of freedom run out (few items with many categories), where M2 has more. `groups`, labels as for
    `calibrate`, are needed where it had several.

    Raises ResponsesError where fewer complete persons are left than moments could be compared on, where the moments are
    too many, or an item is always answered alike; InputError for an unknown statistic.
    """
    check_fit(fit, responses)
    if statistic is not None and statistic not in MARGINS:
        raise InputError(f"unknown statistic {statistic!r}; choose one of {', '.join(MARGINS)}")
    known = answers_within(fit.items, responses)
    model = estimated(fit, known, groups)
    samples = _samples(model, known)
    for name in (statistic,) if statistic else ("M2*", "M2"):
        found = _fitted(model, samples, name)
        if found.df > 0:
            break
    return found


def _samples(model: Estimated, responses: Responses) -> list[_Sample]:
    complete = complete_persons(model.items, responses)
    if complete.counts.sum() < 2:
        raise ResponsesError(
            f"M2 compares moments of persons who answered all {len(model.items)} items; "
            f"{complete.person.size} of {responses.n_persons} did"
        )
    group = model.group[complete.person]
    population = model.population
    return [
        _Sample(
            complete.answers[group == g],
            complete.counts[group == g],
            population.nodes[g],
            population.weights[g],
            (population.mean[g], population.sd[g]) if g or model.fixed.any() else None,
        )
        for g in np.unique(group)
    ]


def _fitted(model: Estimated, samples: list[_Sample], name: str) -> ModelFit:
    build = MARGINS[name]
    _refuse_too_many(model.items, name)
    parts = [_moment_fit(model, sample, build) for sample in samples]
    statistic, df = m2(_side_by_side(parts, [s.free is not None for s in samples]))
    n = float(sum(sample.counts.sum() for sample in samples))
    null = m2([_independent(model.items, sample, build) for sample in samples])
    shares = np.array([sample.counts.sum() / n for sample in samples])
    residual = [_residual_correlation(model.items, sample) for sample in samples]
    return ModelFit(
        statistic="M2" if np.all(model.items.n_categories == 2) else name,
        m2=statistic,
        df=df,
        p=float(p_value(statistic, df)),
        rmsea=rmsea(statistic, df, n),
        srmsr=float(np.sqrt(shares @ np.square(residual))),
        cfi=cfi(statistic, df, null) if df > 0 else np.nan,
        tli=tli(statistic, df, null),
        n_persons=n,
    )


def _refuse_too_many(items: Items, name: str) -> None:
    n_features = int(np.sum(items.n_categories - 1)) if name == "M2" else len(items)
    if n_features * (n_features + 1) // 2 > LARGEST:
        raise ResponsesError(
            f"{name} of {len(items)} items has {n_features * (n_features + 1) // 2} moments, and their covariance "
            f"that squared; {LARGEST} are the limit: use 'M2*', or fewer items"
        )


def _moment_fit(model: Estimated, sample: _Sample, build: Build) -> MomentFit:
    features = build(category_tables(model.items, sample.nodes))
    columns = [item_columns(model.items, model.fixed, features, sample.nodes, sample.weights)]
    if sample.free is not None:
        columns.append(population_columns(features, sample.nodes, sample.weights, *sample.free))
    return MomentFit(
        float(sample.counts.sum()),
        _observed(sample, features) - expected(features, sample.weights),
        covariance(features, sample.weights),
        np.concatenate(columns, axis=1),
    )


def _side_by_side(parts: list[MomentFit], free: list[bool]) -> list[MomentFit]:
    """Items' columns are common to the groups; a population's two columns belong to its group alone."""
    padded = []
    for g, part in enumerate(parts):
        own = 2 * free[g]
        shared, mine = np.split(part.derivatives, [part.derivatives.shape[1] - own], axis=1)
        others = [mine if h == g else np.zeros((len(part.residual), 2 * free[h])) for h in range(len(parts))]
        padded.append(part._replace(derivatives=np.concatenate([shared, *others], axis=1)))
    return padded


def _observed(sample: _Sample, features: Features) -> Array:
    if features.item.size == sample.answers.shape[1]:
        return observed(sample.answers.astype(np.float64), sample.counts, features)
    category = np.concatenate([np.arange(1, np.sum(features.item == i) + 1) for i in range(features.item.max() + 1)])
    values = (sample.answers[:, features.item] == category).astype(np.float64)
    return observed(values, sample.counts, features)


def _independent(items: Items, sample: _Sample, build: Build) -> MomentFit:
    """The null model: every item has its observed proportions and nothing is shared."""
    share = sample.counts / sample.counts.sum()
    tables = [
        np.bincount(sample.answers[:, i], weights=share, minlength=k).astype(np.float64)[:, None]
        for i, k in enumerate(items.n_categories)
    ]
    one = np.ones(1)
    features = build(tables)
    columns = [
        item_derivatives(features, one, i, _free_proportions(int(k), int(np.sum(features.item == i))))
        for i, k in enumerate(items.n_categories)
    ]
    residual = _observed(sample, features) - expected(features, one)
    return MomentFit(float(sample.counts.sum()), residual, covariance(features, one), np.concatenate(columns, axis=1))


def _free_proportions(n_categories: int, n_features: int) -> Array:
    """(K − 1, f, 1): derivatives of an item's features in the proportions of its categories 1 … K − 1."""
    if n_features == 1:
        return np.arange(1.0, n_categories)[:, None, None]
    return np.eye(n_categories - 1)[..., None]


def _residual_correlation(items: Items, sample: _Sample) -> float:
    """SRMSR of one group, from item scores."""
    features = score_features(category_tables(items, sample.nodes))
    mean = features.mean @ sample.weights
    cross = (features.mean * sample.weights) @ features.mean.T - np.outer(mean, mean)
    np.fill_diagonal(cross, np.diagonal(cross) + features.excess @ sample.weights)
    return srmsr(_correlation(np.cov(sample.answers.T, aweights=sample.counts)), _correlation(cross))


def _correlation(covariance: Array) -> Array:
    """NaN for an item to which all gave the same answer."""
    scale = np.sqrt(np.outer(np.diagonal(covariance), np.diagonal(covariance)))
    return np.divide(covariance, scale, out=np.full_like(covariance, np.nan), where=scale > 0.0)
