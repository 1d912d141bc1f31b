"""Minus the second derivative of the expected complete-data log-likelihood, priors included.

Differences of the analytic gradient: any family has it by giving its first derivatives.
"""

from collections.abc import Iterator

import numpy as np

from thetaline.irt._types import Array, Index
from thetaline.irt.calibration.e_step import Expectation
from thetaline.irt.calibration.m_step import BlockCounts
from thetaline.irt.calibration.model import EmState, ItemBlock
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.parameter_index import Parameters

STEP = 1e-5  # central differences of a gradient of order one: error 1e-10, rounding 1e-11


def complete_information(solution: Solution, parameters: Parameters, expectation: Expectation) -> Array:
    """Return the (n, n) matrix; items are blocks of it, joined by shared slopes only."""
    out = np.zeros((parameters.n, parameters.n))
    for block, blocks in _part_blocks(solution, expectation):
        _add_blocks(out, parameters.of_item[block.index, : block.n_free], blocks)
    theta = solution.problem.nodes.theta(solution.state)
    _add_blocks(out, parameters.of_group, _population_information(solution.state, theta, expectation.mass))
    return out


def complete_blocks(solution: Solution, parameters: Parameters, expectation: Expectation) -> Array:
    """Return the items' own blocks of it, padded, (I, P, P) in canonical order."""
    out = np.zeros((*parameters.of_item.shape, parameters.width))
    for block, blocks in _part_blocks(solution, expectation):
        out[block.index, : block.n_free, : block.n_free] = blocks
    return out


def _part_blocks(solution: Solution, expectation: Expectation) -> Iterator[tuple[ItemBlock, Array]]:
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
        nudge = np.zeros(free.shape[1])
        nudge[column] = STEP
        out[:, :, column] = (counts.gradient(free - nudge) - counts.gradient(free + nudge)) / (2 * STEP)
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


def population_scores(theta: Array, mean: float, sd: float) -> Array:
    """Derivatives of log N(theta; mean, sd^2) in mean and log sd, (2, Q)."""
    e = (theta - mean) / sd
    return np.stack([e / sd, e**2 - 1.0])
