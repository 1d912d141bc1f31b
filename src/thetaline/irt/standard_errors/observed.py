"""Observed information: complete-data information less what is missing.

Oakes (1999), Chalmers (2018).  At a maximum the missing part is the posterior covariance of the complete-data scores
(Louis, 1982), which is what the derivative of the E-step in Oakes' identity amounts to; it is computed in closed form,
without differences of E-steps.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.complete_data import complete_information, complete_information_by_item
from thetaline.irt.standard_errors.method import Inverse, Method, inverse, inverse_by_item
from thetaline.irt.standard_errors.parameter_index import ParameterIndex
from thetaline.irt.standard_errors.scores import group_scores, score_tables


def observed_information(solution: Solution, index: ParameterIndex, executor: ThreadPoolExecutor | None) -> Array:
    """Return the (n, n) matrix, priors included."""
    expectation = solution.problem.e_step(solution.state)
    missing = np.zeros((index.n, index.n))
    for g in range(solution.problem.data.n_groups):
        scores = group_scores(solution, index.width, g)
        missing += index.one_group(g).contract(scores.posterior_covariance(executor))
    return complete_information(solution, index, expectation) - missing


def observed_information_by_item(solution: Solution, index: ParameterIndex) -> Array:
    """Return each item's own block of it, (I, P, P)."""
    expectation = solution.problem.e_step(solution.state)
    complete = complete_information_by_item(solution, index, expectation)
    means = sum(group_scores(solution, index.width, g).mean_products_by_item() for g in range(len(expectation.counts)))
    return np.asarray(complete - _second_moments_by_item(solution, index, expectation.counts) + means)


def _second_moments_by_item(solution: Solution, index: ParameterIndex, counts: Array) -> Array:
    """Sum over persons of E(s_i s_i' | answers), (I, P, P): the expected counts (G, sum of K, Q) have it all."""
    out = np.zeros((*index.of_item.shape, index.width))
    for g in range(len(counts)):
        scores = score_tables(solution, index.width, g).by_code
        by_code = (scores * counts[g][:, None, :]) @ scores.transpose(0, 2, 1)
        out += np.add.reduceat(by_code, solution.problem.model.offsets[:-1], axis=0)
    return out


def _full(solution: Solution, index: ParameterIndex, executor: ThreadPoolExecutor | None) -> Inverse:
    return inverse(observed_information(solution, index, executor))


def _by_item(solution: Solution, index: ParameterIndex) -> Array:
    return inverse_by_item(observed_information_by_item(solution, index), index.own)


OAKES = Method(_full, _by_item)
