"""Standard errors and covariances of a calibration, by three methods, on two scales."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._scipy import sparse
from thetaline.irt._types import Array
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.covariance import ItemCovariance
from thetaline.irt.standard_errors.crossproduct import CROSSPRODUCT
from thetaline.irt.standard_errors.delta_method import published_jacobian
from thetaline.irt.standard_errors.method import Method
from thetaline.irt.standard_errors.observed import OAKES
from thetaline.irt.standard_errors.parameter_index import ParameterIndex, free_labels, parameter_index
from thetaline.irt.standard_errors.result import StandardErrors, arranged
from thetaline.irt.standard_errors.sandwich import SANDWICH
from thetaline.irt.threads import single_threaded_blas, workers

METHODS: dict[str, Method] = {"oakes": OAKES, "crossproduct": CROSSPRODUCT, "sandwich": SANDWICH}
SCALES = ("published", "free")
MOST_FULL = 5_000  # parameters: a matrix of 200 MB; above it items are taken one by one


@dataclass(frozen=True, slots=True, eq=False)
class FreeCovariance:
    """Covariance of the free parameters, (n, n): an array, or sparse where items were taken one by one."""

    matrix: Any
    form: str  # "full matrix" or "item blocks"
    positive_definite: bool


def standard_errors(solution: Solution, *, method: str = "oakes") -> StandardErrors:
    """Return standard errors of a, b, c, d and of the free means and sds.

    "oakes" is the observed information (Oakes, 1999; Chalmers, 2018), right when the model holds; "crossproduct" sums
    products of the persons' scores, cheaper and noisier; "sandwich" joins both and holds when the model does not.
    Under priors they are those of the posterior mode.  Raises InputError for another method.
    """
    index = parameter_index(solution)
    found = free_covariance(solution, index, method=method)
    jacobian = published_jacobian(solution, index)
    variances = jacobian.variances(found.matrix)
    with np.errstate(invalid="ignore"):
        errors = np.where(variances > 0, np.sqrt(variances), np.nan)
    return arranged(
        solution, jacobian, errors, method=method, form=found.form, positive_definite=found.positive_definite
    )


def covariance(solution: Solution, *, method: str = "oakes", scale: str = "published") -> ItemCovariance:
    """Return the covariance of all item estimates; raises InputError for an unknown method or scale."""
    if scale not in SCALES:
        raise InputError(f"unknown scale {scale!r}; choose one of {', '.join(SCALES)}")
    index = parameter_index(solution)
    found = free_covariance(solution, index, method=method)
    if scale == "free":
        return ItemCovariance(*free_labels(solution, index), _dense(found.matrix))
    jacobian = published_jacobian(solution, index)
    own = jacobian.is_item
    names = jacobian.item_names(polytomous=bool(solution.spec.n_categories.max() > 2))
    matrix = _dense(jacobian.covariance(found.matrix))[np.ix_(own, own)]
    return ItemCovariance(solution.item_ids[jacobian.owner[own]], names, matrix)


def free_covariance(solution: Solution, index: ParameterIndex, *, method: str) -> FreeCovariance:
    """Return the covariance of the free parameters by the named method; raises InputError for another."""
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
    with workers(None, solution.problem.data.n_answers) as executor, single_threaded_blas():
        if index.n <= MOST_FULL:
            inverse = METHODS[method].full(solution, index, executor)
            return FreeCovariance(inverse.covariance, "full matrix", inverse.positive_definite)
        matrix = _block_diagonal(METHODS[method].by_item(solution, index), index)
        return FreeCovariance(matrix, "item blocks", bool((matrix.diagonal() >= 0).all()))


def _block_diagonal(by_item: Array, index: ParameterIndex) -> "sparse.csr_array":
    """Place the items' own covariances, (I, P, P), at the numbers of their parameters, (n, n)."""
    numbers = index.own
    kept = (numbers >= 0)[:, :, None] & (numbers >= 0)[:, None, :]
    rows = np.broadcast_to(numbers[:, :, None], by_item.shape)[kept]
    columns = np.broadcast_to(numbers[:, None, :], by_item.shape)[kept]
    return sparse.coo_array((by_item[kept], (rows, columns)), shape=(index.n, index.n)).tocsr()


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.toarray() if isinstance(matrix, sparse.csr_array) else matrix, dtype=np.float64)
