"""Minus the second derivative of the expected complete-data log-likelihood, priors included.

Differences of the analytic gradient: any family has it by giving its first derivatives.
"""

import numpy as np
from numpy.typing import NDArray

from thetaline.irt.calibration.expectation import Expectation
from thetaline.irt.calibration.fit import Solution
from thetaline.irt.calibration.maximisation import stacked_counts
from thetaline.irt.calibration.model import Model, Part
from thetaline.irt.calibration.penalty import penalty
from thetaline.irt.priors import Priors
from thetaline.irt.standard_errors.parameters import Parameters

Array = NDArray[np.float64]

STEP = 1e-5  # central differences of a gradient of order one: error 1e-10, rounding 1e-11


def complete_information(solution: Solution, parameters: Parameters, expectation: Expectation) -> Array:
    """Return the (n, n) matrix; items are blocks of it, joined by shared slopes only."""
    model, state = solution.problem.model, solution.state
    theta = solution.problem.nodes.theta(state)
    out = np.zeros((parameters.n, parameters.n))
    for part, free in zip(model.parts, state.free, strict=True):
        observed = stacked_counts(expectation.counts, model, part)
        blocks = _item_information(part, free, theta.ravel(), observed, solution.problem.priors)
        numbers = parameters.of_item[part.index, : part.n_free]
        _add_blocks(out, numbers, blocks)
    _add_blocks(out, parameters.of_group, _population_information(model, theta, expectation.mass, state.mean, state.sd))
    return out


def complete_blocks(solution: Solution, parameters: Parameters, expectation: Expectation) -> Array:
    """Return the items' own blocks of it, padded, (I, P, P) in canonical order."""
    model, state = solution.problem.model, solution.state
    theta = solution.problem.nodes.theta(state)
    out = np.zeros((*parameters.of_item.shape, parameters.width))
    for part, free in zip(model.parts, state.free, strict=True):
        observed = stacked_counts(expectation.counts, model, part)
        blocks = _item_information(part, free, theta.ravel(), observed, solution.problem.priors)
        out[part.index, : part.n_free, : part.n_free] = blocks
    return out


def _add_blocks(out: Array, numbers: NDArray[np.intp], blocks: Array) -> None:
    rows = np.broadcast_to(numbers[:, :, None], blocks.shape)
    columns = np.broadcast_to(numbers[:, None, :], blocks.shape)
    kept = (rows >= 0) & (columns >= 0)
    np.add.at(out, (rows[kept], columns[kept]), blocks[kept])


def _item_information(part: Part, free: Array, nodes: Array, observed: Array, priors: Priors) -> Array:
    """(I, P, P), symmetrised."""
    out = np.empty((*free.shape, free.shape[1]))
    for column in range(free.shape[1]):
        nudge = np.zeros(free.shape[1])
        nudge[column] = STEP
        ahead, behind = (_gradient(part, free + side * nudge, nodes, observed, priors) for side in (1.0, -1.0))
        out[:, :, column] = (behind - ahead) / (2 * STEP)
    return (out + out.transpose(0, 2, 1)) / 2


def _gradient(part: Part, free: Array, nodes: Array, observed: Array, priors: Priors) -> Array:
    derivative = part.family.d_log_prob(free, nodes)
    out = (derivative.reshape(*free.shape, -1) @ observed.reshape(len(free), -1, 1))[:, :, 0]
    return out if priors.flat else out + penalty(part, free, priors).gradient


def _population_information(model: Model, theta: Array, mass: Array, mean: Array, sd: Array) -> Array:
    """Of (mean, log sd) per group: with e = (theta - mean) / sd, sums of [[1, 2 e sd], [2 e sd, 2 e^2 sd^2]] / sd^2."""
    out = np.zeros((len(model.mean_free), 2, 2))
    for g in range(len(out)):
        e = (theta[g] - mean[g]) / sd[g]
        out[g] = [
            [mass[g].sum() / sd[g] ** 2, 2 * (mass[g] @ e) / sd[g]],
            [2 * (mass[g] @ e) / sd[g], 2 * (mass[g] @ e**2)],
        ]
    return out


def population_scores(theta: Array, mean: float, sd: float) -> Array:
    """Derivatives of log N(theta; mean, sd^2) in mean and log sd, (2, Q)."""
    e = (theta - mean) / sd
    return np.stack([e / sd, e**2 - 1.0])
