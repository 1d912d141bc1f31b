"""Observed information of all parameters, and the cross-product of the persons' scores.

Oakes (1999), Chalmers (2018): the observed information is the complete-data information less what is missing.  At a
maximum the missing part is the posterior covariance of the complete-data scores (Louis, 1982), which is what the
derivative of the E-step in Oakes' identity amounts to; it is computed in closed form, without differences of E-steps.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.calibration.blocking import DenseBlock, DenseDesign, SparseBlock
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.complete_data import complete_information, population_scores
from thetaline.irt.standard_errors.missing_information_dense import DenseScores, mean_products, second_moment
from thetaline.irt.standard_errors.missing_information_sparse import SparseScores, pair_sums
from thetaline.irt.standard_errors.parameter_index import Parameters, score_table


@dataclass(frozen=True, slots=True, eq=False)
class FullInformation:
    """All parameters against all."""

    solution: Solution
    parameters: Parameters
    executor: ThreadPoolExecutor | None

    def observed(self) -> Array:
        """Complete-data information less the posterior covariance of the scores, (n, n)."""
        expectation = self.solution.problem.e_step(self.solution.state)
        complete = complete_information(self.solution, self.parameters, expectation)
        return complete - self._summed(means=False)

    def crossproduct(self) -> Array:
        """Sum over persons of the products of their marginal scores, (n, n)."""
        return self._summed(means=True)

    def _summed(self, *, means: bool) -> Array:
        groups = range(len(self.solution.problem.data.blocks))
        return np.asarray(sum(self._of_group(g, means=means) for g in groups))

    def _of_group(self, g: int, *, means: bool) -> Array:
        scores, blocks = self.scores(g), self.solution.problem.data.blocks[g]
        if isinstance(scores, SparseScores):
            rows = tuple(block for block in blocks if isinstance(block, SparseBlock))
            return self._placed(g).contract(pair_sums(rows, scores, self.executor, means=means))
        dense = tuple(block for block in blocks if isinstance(block, DenseBlock))
        local = mean_products(dense, scores, self.executor)
        if not means:
            local = second_moment(dense, scores, self.executor) - local
        return self._placed(g).contract(local)

    def _placed(self, g: int) -> Parameters:
        """The numbering as one group's scores see it: the items and this group."""
        return Parameters(self.parameters.of_item, self.parameters.of_group[g : g + 1], self.parameters.n)

    def scores(self, g: int) -> DenseScores | SparseScores:
        """Arrange the scores of group g as its blocks need them."""
        data, tables = self.solution.problem.data, self.tables(g)
        table = data.design.table(tables.log_prob, data.dtype)
        prior = tables.log_weights.astype(data.dtype)
        if isinstance(data.design, DenseDesign):
            return DenseScores(data.design, table, prior, tables.codes, tables.population)
        extended = np.concatenate([tables.codes, tables.population[None]]).astype(data.dtype)
        item = np.searchsorted(data.offsets, np.arange(int(data.offsets[-1]) + 1), side="right") - 1
        return SparseScores(table, prior, extended, item)

    def tables(self, g: int) -> "GroupTables":
        """Evaluate everything at the nodes of group g."""
        problem, state = self.solution.problem, self.solution.state
        theta, width = problem.nodes.theta(state)[g], self.parameters.width
        log_prob, log_weights = problem.tables(state)
        population = np.zeros((width, theta.size))
        population[:2] = population_scores(theta, float(state.mean[g]), float(state.sd[g]))
        codes = score_table(problem.model, state, theta, width)
        return GroupTables(log_prob[g], log_weights[g], codes, population)


@dataclass(frozen=True, slots=True, eq=False)
class GroupTables:
    """Log-probabilities (sum of K, Q), log weights (Q,), derivatives by code (sum of K, P, Q) and of the population."""

    log_prob: Array
    log_weights: Array
    codes: Array
    population: Array  # (P, Q)
