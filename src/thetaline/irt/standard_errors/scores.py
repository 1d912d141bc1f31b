"""Scores of the complete data: derivatives of log P(answer, theta) in the free parameters at the nodes of a group."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.calibration.blocking import DenseBlock, DenseDesign, SparseBlock
from thetaline.irt.calibration.model import EmState, Model
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.missing_information_dense import DenseScores
from thetaline.irt.standard_errors.missing_information_sparse import SparseScores


class PersonScores(Protocol):
    """Sums over the persons of a group; s holds P cells for every item, then P for the population, L in all."""

    def posterior_covariance(self, executor: ThreadPoolExecutor | None) -> Array:
        """Return the sum of Cov(s | answers), (L, L)."""

    def mean_products(self, executor: ThreadPoolExecutor | None) -> Array:
        """Return the sum of E(s | answers) E(s | answers)', (L, L)."""

    def mean_products_by_item(self) -> Array:
        """Return the items' own blocks of `mean_products`, (I, P, P)."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTables:
    """At the nodes of one group: log-probabilities, log weights and the scores, padded to P parameters an item."""

    log_prob: Array  # (sum of K, Q)
    log_weights: Array  # (Q,)
    by_code: Array  # (sum of K, P, Q)
    population: Array  # (P, Q)


def score_tables(solution: Solution, width: int, g: int) -> ScoreTables:
    """Evaluate everything at the nodes of group g, padded to `width` parameters an item."""
    problem, state = solution.problem, solution.state
    theta = problem.nodes.theta(state)[g]
    log_prob, log_weights = problem.tables(state)
    population = np.zeros((width, theta.size))
    population[:2] = population_scores(theta, float(state.mean[g]), float(state.sd[g]))
    return ScoreTables(log_prob[g], log_weights[g], _scores_by_code(problem.model, state, theta, width), population)


def group_scores(solution: Solution, width: int, g: int) -> PersonScores:
    """Arrange the scores of group g as its blocks need them."""
    data, tables = solution.problem.data, score_tables(solution, width, g)
    table = data.design.table(tables.log_prob, data.dtype)
    prior = tables.log_weights.astype(data.dtype)
    if isinstance(data.design, DenseDesign):
        dense = tuple(block for block in data.blocks[g] if isinstance(block, DenseBlock))
        return DenseScores(dense, data.design, table, prior, tables.by_code, tables.population)
    sparse = tuple(block for block in data.blocks[g] if isinstance(block, SparseBlock))
    extended = np.concatenate([tables.by_code, tables.population[None]]).astype(data.dtype)
    item = np.searchsorted(data.offsets, np.arange(int(data.offsets[-1]) + 1), side="right") - 1
    return SparseScores(sparse, table, prior, extended, item)


def population_scores(theta: Array, mean: float, sd: float) -> Array:
    """Derivatives of log N(theta; mean, sd^2) in mean and log sd, (2, Q)."""
    e = (theta - mean) / sd
    return np.stack([e / sd, e**2 - 1.0])


def _scores_by_code(model: Model, state: EmState, theta: Array, width: int) -> Array:
    """Return d log P / d free by code, padded: (sum of K, P, Q) at nodes (Q,) of one group; zero for anchors."""
    out = np.zeros((int(model.offsets[-1]), width, theta.size))
    for block, free in zip(model.item_blocks, state.free, strict=True):
        derivative = block.family.d_log_prob(free, theta)
        out[model.codes(block), : block.n_free] = derivative.transpose(0, 2, 1, 3)
    return out
