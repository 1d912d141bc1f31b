"""From the covariance of free parameters to that of published ones, by the delta method."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thetaline.irt._scipy import sparse
from thetaline.irt._types import Array, Ids, Index, Mask
from thetaline.irt.calibration.model import ItemBlock
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.parameter_index import ParameterIndex

C_COLUMN, D_COLUMN = -2, -1


@dataclass(frozen=True, slots=True, eq=False)
class PublishedJacobian:
    """Derivatives of published quantities in the free parameters, with what each row is.

    `owner` is the item's position in the caller's order, `column` 0 for a, 1.. for b, -2 for c, -1 for d; populations
    follow with `is_item` False, `owner` the group and `column` 0 for the mean, 1 for the sd.
    """

    matrix: "sparse.csr_array"  # (R, n)
    is_item: Mask
    owner: Index
    column: Index

    def covariance(self, free: Any) -> Any:
        """Return that of the published quantities, (R, R), from that of the free parameters, dense or sparse."""
        return self.matrix @ free @ self.matrix.T

    def variances(self, free: Any) -> Array:
        """Return the diagonal of `covariance`, (R,)."""
        return np.asarray(self.matrix.multiply(self.matrix @ free).sum(axis=1)).ravel()

    def item_names(self, *, polytomous: bool) -> Ids:
        """Return the names of the items' rows: a, b or b1, b2, .., c, d."""
        names = {0: "a", C_COLUMN: "c", D_COLUMN: "d"}
        column = self.column[self.is_item].tolist()
        out = np.empty(len(column), dtype=object)
        out[:] = [names.get(k, f"b{k}" if polytomous else "b") for k in column]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Derivatives of some quantities: values (R, T) at parameter numbers (R, T), -1 for none."""

    values: Array
    numbers: Index
    owner: Index
    column: Index


def published_jacobian(solution: Solution, index: ParameterIndex) -> PublishedJacobian:
    """Return the rows of a, b, c, d of the estimated items and of mean and sd of the free populations."""
    blocks = range(len(solution.problem.model.item_blocks))
    items = [_item_entries(solution, index, k) for k in blocks]
    entries = [*items, _population_entries(solution, index)]
    matrix = sparse.csr_array(sparse.vstack([_matrix(some, index.n) for some in entries]))
    is_item = np.arange(matrix.shape[0]) < sum(len(some.owner) for some in items)
    owner = np.concatenate([some.owner for some in entries])
    column = np.concatenate([some.column for some in entries])
    estimated = np.diff(matrix.indptr) > 0
    return PublishedJacobian(matrix[estimated], is_item[estimated], owner[estimated], column[estimated])


def _matrix(entries: _Entries, n: int) -> "sparse.csr_array":
    kept = (entries.numbers >= 0) & (entries.values != 0)
    row = np.nonzero(kept)[0]
    shape = (len(entries.owner), n)
    return sparse.coo_array((entries.values[kept], (row, entries.numbers[kept])), shape=shape).tocsr()


def _item_entries(solution: Solution, index: ParameterIndex, k: int) -> _Entries:
    """Items of block k; where theta is published in units of a shared slope, that slope moves every other one."""
    block, free = solution.problem.model.item_blocks[k], solution.state.free[k]
    scale = solution.theta_scale
    local = block.family.published_jacobian(block.family.standardised(free, 0.0, 1.0 / scale))
    n_items, n_free = free.shape
    if block.family.unit:
        local[:, 0] = 0.0  # the published slope is 1 and has no error
    by_scale = -local[:, :, 0] * free[:, :1] / scale**2
    local[:, :, 0] /= scale
    values = np.concatenate([local, by_scale[:, :, None]], axis=2).reshape(-1, n_free + 1)
    unit = _shared_unit(solution, index)
    numbers = np.column_stack([index.of_item[block.index, :n_free], np.full(n_items, unit)])
    owner = np.repeat(solution.problem.data.order[block.index], n_free)
    return _Entries(values, np.repeat(numbers, n_free, axis=0), owner, np.tile(_columns(block), n_items))


def _columns(block: ItemBlock) -> Index:
    """Meaning of the published rows of one item."""
    tail = [C_COLUMN] * block.family.has_c + [D_COLUMN] * block.family.has_d
    return np.array([*range(block.first_asymptote), *tail])


def _shared_unit(solution: Solution, index: ParameterIndex) -> int:
    """Number of the slope that Rasch and PCM items share, by which theta is published; -1 without it."""
    for block in solution.problem.model.item_blocks:
        if block.scales_theta:
            return int(index.of_item[block.index[0], 0])
    return -1


def _population_entries(solution: Solution, index: ParameterIndex) -> _Entries:
    """Mean and sd on the published scale: the free ones, times the shared slope of Rasch and PCM items, if any."""
    state, scale = solution.state, solution.theta_scale
    n_groups = len(state.mean)
    values = np.column_stack(
        [
            np.column_stack([np.full(n_groups, scale), state.sd * scale]).ravel(),
            np.column_stack([state.mean, state.sd]).ravel(),
        ]
    )
    unit = _shared_unit(solution, index)
    numbers = np.column_stack([index.of_group.ravel(), np.full(2 * n_groups, unit)])
    return _Entries(values, numbers, np.repeat(np.arange(n_groups), 2), np.tile([0, 1], n_groups))
