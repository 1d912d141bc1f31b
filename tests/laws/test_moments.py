"""Moments of item scores against enumeration of every answer pattern."""

from itertools import product

import numpy as np
import pytest

from thetaline import irt
from thetaline.irt.fit_statistics.moments import (
    Features,
    category_features,
    covariance,
    expected,
    item_derivatives,
    observed,
    population_columns,
    population_derivatives,
    score_features,
)
from thetaline.irt.lord_wingersky import category_tables

THETA = np.linspace(-4, 4, 9)
WEIGHTS = np.exp(-(THETA**2) / 2) / np.exp(-(THETA**2) / 2).sum()


def items(a: float = 1.2) -> irt.Items:
    b = [[-0.5, np.nan], [-1.0, 0.7], [0.4, -0.3], [0.8, np.nan]]
    return irt.Items(ids=list("wxyz"), model=["2PL", "GRM", "GPCM", "2PL"], a=[a, 0.8, 1.5, 0.9], b=b)


def patterns(tables: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Every pattern and its probability in the population."""
    rows = np.array(list(product(*(range(len(t)) for t in tables))))
    given = np.prod([t[rows[:, i]] for i, t in enumerate(tables)], axis=0)
    return rows, given @ WEIGHTS


def feature_values(rows: np.ndarray, tables: list[np.ndarray], *, by_category: bool) -> np.ndarray:
    if not by_category:
        return rows.astype(float)
    return np.column_stack([rows[:, i] == k for i, t in enumerate(tables) for k in range(1, len(t))]).astype(float)


def moment_columns(values: np.ndarray, features: Features) -> np.ndarray:
    first, second = features.pairs
    return np.concatenate([values, values[:, first] * values[:, second]], axis=1)


@pytest.mark.parametrize("by_category", [False, True])
def test_expectation_and_covariance_of_the_moments_are_those_over_all_patterns(by_category: bool) -> None:
    tables = category_tables(items(), THETA)
    features = (category_features if by_category else score_features)(tables)
    rows, p = patterns(tables)
    values = feature_values(rows, tables, by_category=by_category)
    columns = moment_columns(values, features)
    mean = p @ columns
    np.testing.assert_allclose(expected(features, WEIGHTS), mean, atol=1e-13)
    np.testing.assert_allclose(
        covariance(features, WEIGHTS), (columns * p[:, None]).T @ columns - np.outer(mean, mean), atol=1e-13
    )
    np.testing.assert_allclose(observed(values, 1000 * p, features), mean, atol=1e-13)


@pytest.mark.parametrize("build", [score_features, category_features])
def test_derivatives_of_the_moments_are_their_slopes(build: object) -> None:
    step = 1e-6

    def at(a: float) -> Features:
        return build(category_tables(items(a), THETA))  # type: ignore[operator]

    up, down, here = at(1.2 + step), at(1.2 - step), at(1.2)
    numerical = (expected(up, WEIGHTS) - expected(down, WEIGHTS)) / (2 * step)
    slopes = ((up.mean - down.mean) / (2 * step))[here.item == 0][None]
    np.testing.assert_allclose(item_derivatives(here, WEIGHTS, 0, slopes)[:, 0], numerical, atol=1e-8)
    shifted = np.roll(WEIGHTS, 1)
    np.testing.assert_allclose(
        population_derivatives(here, (shifted - WEIGHTS)[None])[:, 0], expected(here, shifted) - expected(here, WEIGHTS)
    )


def test_derivatives_in_the_population_are_the_slopes_of_the_moments_under_a_normal_on_given_nodes() -> None:
    features, nodes, step = score_features(category_tables(items(), THETA)), THETA, 1e-6

    def at(mean: float, sd: float) -> np.ndarray:
        weights = np.exp(-(((nodes - mean) / sd) ** 2) / 2)
        return expected(features, weights / weights.sum())

    mean, sd = 0.3, 1.2
    weights = np.exp(-(((nodes - mean) / sd) ** 2) / 2)
    slopes = [
        (at(mean + step, sd) - at(mean - step, sd)) / (2 * step),
        (at(mean, sd + step) - at(mean, sd - step)) / (2 * step),
    ]
    found = population_columns(features, nodes, weights / weights.sum(), mean, sd)
    np.testing.assert_allclose(found.T, slopes, atol=1e-8)
