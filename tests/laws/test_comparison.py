"""Two calibrations on one scale: the shift is found, and its error is the one that numerical differentiation gives."""

from dataclasses import replace

import numpy as np
import pytest

from thetaline.errors import ItemsError
from thetaline.irt.wald import Differences, Estimates, differences, shift_between


def estimates(values: np.ndarray, rng: np.random.Generator) -> Estimates:
    n_items, width = values.shape
    exists = np.isfinite(values)
    root = rng.normal(size=(values.size, values.size)) * 0.05 * exists.ravel()[:, None]
    covariance = (root @ root.T).reshape(n_items, width, n_items, width)
    return Estimates(np.arange(n_items).astype(object), values, covariance, exists)


def moved(values: np.ndarray, A: float, B: float) -> np.ndarray:
    """The same items on the scale θ = (θ' − B) / A, that is `values` as a new form would have them."""
    a = values[:, :1] * A
    return np.concatenate([a, values[:, 1:] - values[:, :1] * B], axis=1)


def test_the_shift_between_two_versions_of_one_bank_is_found_exactly() -> None:
    rng = np.random.default_rng(1)
    values = np.column_stack([rng.uniform(0.5, 2, 8), rng.normal(size=(8, 2))])
    values[3:, 2] = np.nan
    reference, new = estimates(values, rng), estimates(moved(values, 1.3, -0.4), rng)
    shift = shift_between(reference, new, np.ones(8, dtype=bool))
    np.testing.assert_allclose(shift.constants[:2], [1.3, -0.4])
    np.testing.assert_allclose(differences(reference, new, shift).values, 0.0, atol=1e-12)


def test_the_shift_is_that_of_the_anchors_with_positive_slopes_alone() -> None:
    rng = np.random.default_rng(7)
    values = np.column_stack([rng.uniform(0.5, 2, 8), rng.normal(size=8)])
    there = moved(values, 1.3, -0.4)
    values[0], values[1, 0] = [9.0, 9.0], -1.0  # another item, and one whose slope turned
    anchors = np.arange(8) > 0
    shift = shift_between(estimates(values, rng), estimates(there, rng), anchors)
    np.testing.assert_allclose(shift.constants[:2], [1.3, -0.4])


def test_the_covariance_of_the_differences_carries_the_error_of_the_shift() -> None:
    rng = np.random.default_rng(2)
    values = np.column_stack([rng.uniform(0.5, 2, 5), rng.normal(size=5)])
    reference, new = estimates(values, rng), estimates(moved(values, 1.3, -0.4), rng)
    anchors = np.array([True, True, True, False, False])

    def difference(flat_reference: np.ndarray, flat_new: np.ndarray) -> np.ndarray:
        sides = replace(reference, values=flat_reference.reshape(5, 2)), replace(new, values=flat_new.reshape(5, 2))
        return differences(*sides, shift_between(*sides, anchors)).values.ravel()

    jacobians = [
        numerical_jacobian(difference, (reference.values.ravel(), new.values.ravel()), side) for side in (0, 1)
    ]
    flat = [side.covariance.reshape(10, 10) for side in (reference, new)]
    brute = sum(j @ c @ j.T for j, c in zip(jacobians, flat, strict=True)).reshape(5, 2, 5, 2)
    ours = differences(reference, new, shift_between(reference, new, anchors)).covariance
    np.testing.assert_allclose(ours, brute[np.arange(5), :, np.arange(5), :], atol=1e-7)


def numerical_jacobian(function: object, arguments: tuple[np.ndarray, np.ndarray], side: int) -> np.ndarray:
    step, columns = 1e-6, []
    for k in range(arguments[side].size):
        up, down = ([x.copy() for x in arguments] for _ in range(2))
        up[side][k] += step
        down[side][k] -= step
        columns.append((function(*up) - function(*down)) / (2 * step))  # type: ignore[operator]
    return np.array(columns).T


def test_item_blocks_give_what_a_block_diagonal_matrix_gives() -> None:
    rng = np.random.default_rng(3)
    values = np.column_stack([rng.uniform(0.5, 2, 6), rng.normal(size=6)])
    sides = []
    for _ in range(2):
        side = estimates(values, rng)
        whole = np.zeros_like(side.covariance)
        whole[np.arange(6), :, np.arange(6), :] = side.blocks
        sides.append((replace(side, covariance=whole), replace(side, covariance=side.blocks)))

    def compared(which: int) -> Differences:
        reference, new = sides[0][which], sides[1][which]
        return differences(reference, new, shift_between(reference, new, np.ones(6, dtype=bool)))

    np.testing.assert_allclose(compared(0).covariance, compared(1).covariance)


def test_slopes_that_are_fixed_give_a_shift_of_location_alone() -> None:
    rng = np.random.default_rng(4)
    values = np.column_stack([np.ones(6), rng.normal(size=6)])
    reference = estimates(values, rng)
    covariance = reference.covariance.copy()
    covariance[:, 0], covariance[:, :, :, 0] = 0.0, 0.0
    tested = np.column_stack([np.zeros(6, dtype=bool), np.ones(6, dtype=bool)])
    reference = replace(reference, covariance=covariance, tested=tested)
    new = replace(reference, values=moved(values, 1.0, 0.7))
    shift = shift_between(reference, new, np.ones(6, dtype=bool))
    np.testing.assert_allclose(shift.constants[:2], [1.0, 0.7])
    assert differences(reference, new, shift).degrees.tolist() == [1] * 6


def test_anchors_without_a_positive_slope_are_refused() -> None:
    rng = np.random.default_rng(5)
    side = estimates(np.column_stack([-np.ones(3), rng.normal(size=3)]), rng)
    with pytest.raises(ItemsError, match="positive slope"):
        shift_between(side, side, np.ones(3, dtype=bool))
