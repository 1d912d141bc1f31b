"""Complete-data information: minus the second derivative of the expected complete-data log-likelihood and log prior.

Differences of the analytic gradient: any family has it by giving its first derivatives.
"""

from collections.abc import Iterator

import numpy as np

from thetaline.irt._types import Array, Index
from thetaline.irt.calibration.e_step import Expectation
from thetaline.irt.calibration.m_step import BlockCounts
from thetaline.irt.calibration.model import EmState, ItemBlock
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.parameter_index import ParameterIndex

STEP = 1e-5  # central differences of a gradient of order one: error 1e-10, rounding 1e-11


def complete_information(solution: Solution, index: ParameterIndex, expectation: Expectation) -> Array:
    """Return the (n, n) matrix: one block an item, joined by shared slopes only, and one a group."""
    out = np.zeros((index.n, index.n))
    for block, information in _information_by_item(solution, expectation):
        _add_blocks(out, index.of_item[block.index, : block.n_free], information)
    theta = solution.problem.nodes.theta(solution.state)
    _add_blocks(out, index.of_group, _population_information(solution.state, theta, expectation.mass))
    return out


def complete_information_by_item(solution: Solution, index: ParameterIndex, expectation: Expectation) -> Array:
    """Return each item's own block of it, padded, (I, P, P) in canonical order."""
    out = np.zeros((*index.of_item.shape, index.width))
    for block, information in _information_by_item(solution, expectation):
        out[block.index, : block.n_free, : block.n_free] = information
    return out


def prior_information(solution: Solution, index: ParameterIndex) -> Array:
    """Return what the priors alone contribute, (n, n)."""
    return complete_information(solution, index, _no_answers(solution))


def prior_information_by_item(solution: Solution, index: ParameterIndex) -> Array:
    """Return what the priors alone contribute to each item, (I, P, P)."""
    return complete_information_by_item(solution, index, _no_answers(solution))


def _no_answers(solution: Solution) -> Expectation:
    theta = solution.problem.nodes.theta(solution.state)
    counts = np.zeros((len(theta), int(solution.problem.model.offsets[-1]), theta.shape[1]))
    return Expectation(counts, np.zeros(theta.shape), 0.0)


def _information_by_item(solution: Solution, expectation: Expectation) -> Iterator[tuple[ItemBlock, Array]]:
    counts = solution.problem.block_counts(solution.state, expectation)
    for expected, free in zip(counts, solution.state.free, strict=True):
        yield expected.block, _item_information(expected, free)


def _add_blocks(out: Array, numbers: Index, blocks: Array) -> None:
    rows = np.broadcast_to(numbers[:, :, None], blocks.shape)
    columns = np.broadcast_to(numbers[:, None, :], blocks.shape)
    kept = (rows >= 0) & (columns >= 0)
    np.add.at(out, (rows[kept], columns[kept]), blocks[kept])


def _item_information(counts: BlockCounts, free: Array) -> Array:
    """(I, P, P), symmetrised."""
    out = np.empty((*free.shape, free.shape[1]))
    for column in range(free.shape[1]):
        step = np.zeros(free.shape[1])
        step[column] = STEP
        out[:, :, column] = (counts.gradient(free - step) - counts.gradient(free + step)) / (2 * STEP)
    return (out + out.transpose(0, 2, 1)) / 2


def _population_information(state: EmState, theta: Array, mass: Array) -> Array:
    """Of (mean, log sd) per group: with e = (theta - mean) / sd, sums of [[1, 2 e sd], [2 e sd, 2 e^2 sd^2]] / sd^2."""
    sd, out = state.sd, np.zeros((len(state.sd), 2, 2))
    for g in range(len(out)):
        e = (theta[g] - state.mean[g]) / sd[g]
        out[g] = [
            [mass[g].sum() / sd[g] ** 2, 2 * (mass[g] @ e) / sd[g]],
            [2 * (mass[g] @ e) / sd[g], 2 * (mass[g] @ e**2)],
        ]
    return out
