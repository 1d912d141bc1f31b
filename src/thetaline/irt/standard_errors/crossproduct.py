"""Cross-product information: the sum over persons of the products of their marginal scores.

The marginal score of a person is the posterior mean of the complete-data scores (Louis, 1982).
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.complete_data import prior_information, prior_information_by_item
from thetaline.irt.standard_errors.method import Inverse, Method, inverse, inverse_by_item
from thetaline.irt.standard_errors.parameter_index import ParameterIndex
from thetaline.irt.standard_errors.scores import group_scores


def crossproduct_information(solution: Solution, index: ParameterIndex, executor: ThreadPoolExecutor | None) -> Array:
    """Return the (n, n) matrix, priors included."""
    products = np.zeros((index.n, index.n))
    for g in range(solution.problem.data.n_groups):
        scores = group_scores(solution, index.width, g)
        products += index.one_group(g).contract(scores.mean_products(executor))
    return products + prior_information(solution, index)


def crossproduct_information_by_item(solution: Solution, index: ParameterIndex) -> Array:
    """Return each item's own block of it, (I, P, P)."""
    groups = range(solution.problem.data.n_groups)
    products = sum(group_scores(solution, index.width, g).mean_products_by_item() for g in groups)
    return np.asarray(products + prior_information_by_item(solution, index))


def _full(solution: Solution, index: ParameterIndex, executor: ThreadPoolExecutor | None) -> Inverse:
    return inverse(crossproduct_information(solution, index, executor))


def _by_item(solution: Solution, index: ParameterIndex) -> Array:
    return inverse_by_item(crossproduct_information_by_item(solution, index), index.own)


CROSSPRODUCT = Method(_full, _by_item)
