"""Sum-score distributions against enumeration of every answer pattern."""

from itertools import product

import numpy as np

from thetaline import irt
from thetaline.irt.lord_wingersky import category_tables, rest_score_tables, sum_score_table

THETA = np.array([-2.0, 0.3, 1.7])


def mixed_items() -> irt.Items:
    b = [[-0.5, np.nan, np.nan], [-1.0, 0.2, 1.1], [0.4, -0.3, np.nan], [1.0, np.nan, np.nan]]
    return irt.Items(
        ids=list("wxyz"),
        model=["2PL", "GRM", "GPCM", "3PL"],
        a=[1.2, 0.8, 1.5, 1.0],
        b=b,
        c=[np.nan, np.nan, np.nan, 0.2],
    )


def enumerated(tables: list[np.ndarray]) -> np.ndarray:
    total = np.zeros((sum(len(t) - 1 for t in tables) + 1, THETA.size))
    for pattern in product(*(range(len(t)) for t in tables)):
        total[sum(pattern)] += np.prod([t[k] for t, k in zip(tables, pattern, strict=True)], axis=0)
    return total


def test_the_sum_score_distribution_is_that_of_all_patterns() -> None:
    tables = category_tables(mixed_items(), THETA)
    np.testing.assert_allclose(sum_score_table(tables), enumerated(tables), atol=1e-14)


def test_the_rest_score_of_each_item_leaves_out_that_item_and_no_other() -> None:
    tables = category_tables(mixed_items(), THETA)
    for left_out, rest in enumerate(rest_score_tables(tables)):
        np.testing.assert_allclose(rest, enumerated(tables[:left_out] + tables[left_out + 1 :]), atol=1e-14)


def test_a_single_item_has_a_rest_score_of_zero() -> None:
    (rest,) = rest_score_tables(category_tables(mixed_items().take(["w"]), THETA))
    np.testing.assert_array_equal(rest, np.ones((1, THETA.size)))
