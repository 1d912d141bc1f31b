"""From the covariance of free parameters to that of published ones, by the delta method."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.calibration.model import ItemBlock
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.parameter_index import Parameters

POPULATION = -1  # in place of an item's position
C_COLUMN, D_COLUMN = -2, -1


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Derivatives of reported quantities in the free parameters, with what each one is.

    `owner` is the item's position in the caller's order, `column` 0 for a, 1.. for b, -2 for c, -1 for d; populations
    follow with `is_item` False, `owner` the group and `column` 0 for the mean, 1 for the sd.
    """

    jacobian: "sparse.csr_array"  # (R, n)
    is_item: Mask
    owner: Index
    column: Index


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Derivatives of some quantities: values (R, T) at parameter numbers (R, T), -1 for none."""

    values: Array
    numbers: Index
    owner: Index
    column: Index


def published_rows(solution: Solution, parameters: Parameters) -> Rows:
    """Derivatives of a, b, c, d of the estimated items and of mean and sd of the free populations."""
    item_blocks = [_block_entries(solution, parameters, k) for k in range(len(solution.problem.model.item_blocks))]
    population = _population_entries(solution, parameters)
    matrices = [_matrix(entries, parameters.n) for entries in (*item_blocks, population)]
    jacobian = sparse.csr_array(sparse.vstack(matrices))
    n_items = sum(len(entries.owner) for entries in item_blocks)
    everything = (*item_blocks, population)
    rows = Rows(
        jacobian,
        np.arange(jacobian.shape[0]) < n_items,
        np.concatenate([entries.owner for entries in everything]),
        np.concatenate([entries.column for entries in everything]),
    )
    estimated = np.diff(jacobian.indptr) > 0
    return Rows(jacobian[estimated], rows.is_item[estimated], rows.owner[estimated], rows.column[estimated])


def _matrix(entries: _Entries, n: int) -> "sparse.csr_array":
    kept = (entries.numbers >= 0) & (entries.values != 0)
    row = np.nonzero(kept)[0]
    shape = (len(entries.owner), n)
    return sparse.coo_array((entries.values[kept], (row, entries.numbers[kept])), shape=shape).tocsr()


def _block_entries(solution: Solution, parameters: Parameters, k: int) -> _Entries:
    """Items of one block; where theta is published in units of a shared slope, that slope moves every other one."""
    block, free = solution.problem.model.item_blocks[k], solution.state.free[k]
    scale = solution.theta_scale
    local = block.family.published_jacobian(block.family.standardised(free, 0.0, 1.0 / scale))
    n_items, n_free = free.shape
    if block.family.unit:
        local[:, 0] = 0.0  # the published slope is 1 and has no error
    by_scale = -local[:, :, 0] * free[:, :1] / scale**2
    local[:, :, 0] /= scale
    values = np.concatenate([local, by_scale[:, :, None]], axis=2).reshape(-1, n_free + 1)
    unit = _shared_unit(solution, parameters)
    numbers = np.column_stack([parameters.of_item[block.index, :n_free], np.full(n_items, unit)])
    owner = np.repeat(solution.problem.data.order[block.index], n_free)
    return _Entries(values, np.repeat(numbers, n_free, axis=0), owner, np.tile(_columns(block), n_items))


def _columns(block: ItemBlock) -> Index:
    """Meaning of the published rows of one item."""
    tail = [C_COLUMN] * block.family.has_c + [D_COLUMN] * block.family.has_d
    return np.array([*range(block.n_free - len(tail)), *tail])


def _shared_unit(solution: Solution, parameters: Parameters) -> int:
    """Number of the slope that Rasch and PCM items share, by which theta is published; -1 without it."""
    for block in solution.problem.model.item_blocks:
        if block.tie == "unit":
            return int(parameters.of_item[block.index[0], 0])
    return -1


def _population_entries(solution: Solution, parameters: Parameters) -> _Entries:
    """Mean and sd on the published scale: the free ones, times the shared slope of Rasch and PCM items, if any."""
    state, scale = solution.state, solution.theta_scale
    n_groups = len(state.mean)
    values = np.column_stack(
        [
            np.column_stack([np.full(n_groups, scale), state.sd * scale]).ravel(),
            np.column_stack([state.mean, state.sd]).ravel(),
        ]
    )
    unit = _shared_unit(solution, parameters)
    numbers = np.column_stack([parameters.of_group.ravel(), np.full(2 * n_groups, unit)])
    return _Entries(values, numbers, np.repeat(np.arange(n_groups), 2), np.tile([0, 1], n_groups))
