"""How S-X² merges sparse cells: each rule on a table small enough to check by eye, and what merging must keep."""

import numpy as np
import pytest

from thetaline.irt.fit_statistics.s_x2 import Cells, merged


def table(observed: list[list[float]], expected: list[list[float]]) -> Cells:
    """Rows are the scores 1 … S − 2; the two extreme scores, which are dropped, are added here."""
    edge = [[0.0] * len(observed[0])]
    return Cells(np.array(edge + observed + edge, dtype=float), np.array(edge + expected + edge, dtype=float))


def test_nothing_is_merged_where_every_cell_expects_enough() -> None:
    rows = [[5.0, 5.0], [4.0, 6.0], [3.0, 7.0]]
    found = merged(table(rows, [[4.5, 5.5], [4.0, 6.0], [3.5, 6.5]]), least=1.0)
    np.testing.assert_array_equal(found.observed, rows)
    assert found.degrees == 3
    assert found.statistic == pytest.approx(2 * 0.25 / 4.5 / 2 + 0.25 / 5.5 + 0.25 / 3.5 + 0.25 / 6.5)


def test_a_small_row_joins_the_neighbour_with_fewer_people_the_lower_one_on_a_tie() -> None:
    fewer_above = table([[9, 9], [9, 1], [5, 5]], [[9, 9], [9.5, 0.5], [5, 5]])
    np.testing.assert_array_equal(merged(fewer_above, least=1.0).observed, [[9, 9], [14, 6]])
    fewer_below = table([[4, 5], [9, 1], [9, 9]], [[4, 5], [9.5, 0.5], [9, 9]])
    np.testing.assert_array_equal(merged(fewer_below, least=1.0).observed, [[13, 6], [9, 9]])
    as_many = table([[5, 5], [9, 1], [6, 4]], [[5, 5], [9.5, 0.5], [6, 4]])
    np.testing.assert_array_equal(merged(as_many, least=1.0).observed, [[14, 6], [6, 4]])


def test_scores_that_nobody_has_are_left_out() -> None:
    found = merged(table([[5, 5], [0, 0], [3, 7]], [[5, 5], [0, 0], [3, 7]]), least=1.0)
    assert found.degrees == 2


def test_a_row_of_one_person_joins_the_next_and_the_last_row_the_one_before() -> None:
    found = merged(table([[1, 0], [5, 5], [4, 6]], [[0.6, 0.4], [5, 5], [4, 6]]), least=0.1)
    np.testing.assert_array_equal(found.observed, [[6, 5], [4, 6]])
    found = merged(table([[5, 5], [4, 6], [0, 1]], [[5, 5], [4, 6], [0.4, 0.6]]), least=0.1)
    np.testing.assert_array_equal(found.observed, [[5, 5], [4, 7]])


def test_scores_that_rule_a_category_out_join_the_first_that_does_not() -> None:
    # Three categories: the score 1 excludes category 2, the score S − 2 excludes category 0.
    found = merged(
        table([[5, 3, 0], [4, 4, 4], [4, 4, 4], [0, 3, 6]], [[5, 3, 0], [4, 4, 4], [4, 4, 4], [0, 3, 6]]), least=1.0
    )
    np.testing.assert_array_equal(found.observed, [[9, 7, 4], [4, 7, 10]])


def test_within_a_row_the_smallest_category_joins_its_smaller_neighbour() -> None:
    rows = [[9.0, 9.0, 9.0, 9.0]] * 9
    expected = [list(row) for row in rows]
    expected[4] = [8.0, 0.5, 3.0, 24.5]
    found = merged(table(rows, expected), least=1.0)
    np.testing.assert_array_equal(found.expected[2], [8.0, 3.5, 24.5, 0.0])
    np.testing.assert_array_equal(found.observed[2], [9.0, 18.0, 9.0, 0.0])


def test_a_last_category_that_hardly_a_row_uses_joins_the_one_before() -> None:
    rows = [[9.0, 9.0, 0.0]] * 40
    rows[20] = [9.0, 9.0, 1.0]
    expected = [[9.0, 9.0, 0.0]] * 40
    expected[20] = [9.0, 9.0, 1.2]
    found = merged(table(rows, expected), least=1.0)
    assert found.expected.shape[1] == 2
    assert found.expected.sum() == pytest.approx(40 * 18 + 1.2)


def test_an_item_with_more_categories_than_the_scores_can_show_has_no_cells() -> None:
    found = merged(Cells(np.ones((4, 4)), np.ones((4, 4))), least=1.0)
    assert found.degrees <= 0


@pytest.mark.parametrize("n_categories", [2, 3, 5])
def test_merging_keeps_all_people_and_leaves_no_small_cell(n_categories: int) -> None:
    for seed in range(50):
        rng = np.random.default_rng([n_categories, seed])
        expected = rng.gamma(0.4, 4.0, (25, n_categories))
        observed = rng.poisson(expected).astype(float)
        found = merged(Cells(observed, expected), least=1.0)
        kept = observed[1:-1].sum()
        assert found.observed.sum() == pytest.approx(kept)
        assert np.all((found.expected == 0) | (found.expected >= 1.0))
        assert np.all(found.observed[found.expected == 0] == 0)


def test_a_category_of_few_rows_joins_the_one_before_however_many_people_it_has() -> None:
    rows = [[9.0, 9.0, 0.0]] * 40
    rows[20] = [9.0, 9.0, 30.0]
    assert merged(table(rows, rows), least=1.0).expected.shape[1] == 2


def test_a_last_category_of_few_people_joins_the_one_before_in_however_many_rows() -> None:
    rows = [[9.0, 9.0, 0.0]] * 40
    rows[10], rows[20], rows[30] = [[9.0, 9.0, 1.2]] * 3
    assert merged(table(rows, rows), least=1.0).expected.shape[1] == 2


def test_a_last_category_of_enough_rows_and_people_stays() -> None:
    rows = [[9.0, 9.0, 0.0]] * 40
    rows[10], rows[20], rows[30] = [[9.0, 9.0, 1.5]] * 3
    assert merged(table(rows, rows), least=1.0).expected.shape[1] == 3
