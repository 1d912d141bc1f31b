"""Sandwich covariance, right also where the model is not (Huber, 1967; White, 1982).

With the observed information A and the cross-products B it is inv(A) B inv(A).
"""

from concurrent.futures import ThreadPoolExecutor

from thetaline.irt._types import Array
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.standard_errors.crossproduct import crossproduct_information, crossproduct_information_by_item
from thetaline.irt.standard_errors.method import Inverse, Method
from thetaline.irt.standard_errors.observed import OAKES
from thetaline.irt.standard_errors.parameter_index import ParameterIndex


def _full(solution: Solution, index: ParameterIndex, executor: ThreadPoolExecutor | None) -> Inverse:
    bread = OAKES.full(solution, index, executor)
    meat = crossproduct_information(solution, index, executor)
    return Inverse(bread.covariance @ meat @ bread.covariance, bread.positive_definite)


def _by_item(solution: Solution, index: ParameterIndex) -> Array:
    bread = OAKES.by_item(solution, index)
    return bread @ crossproduct_information_by_item(solution, index) @ bread


SANDWICH = Method(_full, _by_item)
