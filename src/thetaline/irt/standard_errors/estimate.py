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
FULL, BLOCKS = "full matrix", "item blocks"
MOST_FULL = 5_000  # parameters: a matrix of 200 MB; above it items are taken one by one


@dataclass(frozen=True, slots=True, eq=False)
class FreeCovariance:
    """Covariance of the free parameters, (n, n): an array, or sparse where items were taken one by one."""

    matrix: Any
    form: str  # FULL or BLOCKS
    positive_definite: bool


def standard_errors(solution: Solution, *, method: str = "oakes", form: str | None = None) -> StandardErrors:
    """Return standard errors of a, b, c, d and of the free means and sds.

    "oakes" is the observed information (Oakes, 1999; Chalmers, 2018), right when the model holds; "crossproduct" sums
    products of the persons' scores, cheaper and noisier; "sandwich" joins both and holds when the model does not.
    Under priors they are those of the posterior mode.  `form` "full matrix" inverts the information of all parameters,
    "item blocks" that of each item by itself: errors slightly too small, none of populations and shared slopes, in a
    time that does not grow with the square of the items.  None takes the full matrix of up to 5,000 parameters.
    Raises InputError for another method or form.
    """
    index = parameter_index(solution)
    found = free_covariance(solution, index, method=method, form=form)
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


def covariance_by_item(solution: Solution, *, method: str = "oakes") -> Array:
    """Return each item's own covariance of (a, b or b1 .., c, d), (I, W, W) in the caller's order.

    NaN where an item has no such parameter or it was not estimated.  Raises InputError for an unknown method.
    """
    index = parameter_index(solution)
    jacobian = published_jacobian(solution, index)
    published = jacobian.covariance(free_covariance(solution, index, method=method, form=BLOCKS).matrix).tocoo()
    width = int(solution.spec.n_categories.max()) + 2
    out = np.full((len(solution.item_ids), width, width), np.nan)
    row, column = published.coords
    kept = jacobian.is_item[row] & jacobian.is_item[column] & (jacobian.owner[row] == jacobian.owner[column])
    row, column = row[kept], column[kept]
    out[jacobian.owner[row], jacobian.column[row], jacobian.column[column]] = published.data[kept]
    return out


def free_covariance(
    solution: Solution, index: ParameterIndex, *, method: str, form: str | None = None
) -> FreeCovariance:
    """Return the covariance of the free parameters by the named method; raises InputError for another."""
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
    if form not in (None, FULL, BLOCKS):
        raise InputError(f"unknown form {form!r}; choose {FULL!r}, {BLOCKS!r} or None")
    with workers(None, solution.problem.data.n_answers) as executor, single_threaded_blas():
        if form == FULL or (form is None and index.n <= MOST_FULL):
            inverse = METHODS[method].full(solution, index, executor)
            return FreeCovariance(inverse.covariance, FULL, inverse.positive_definite)
        matrix = _block_diagonal(METHODS[method].by_item(solution, index), index)
        return FreeCovariance(matrix, BLOCKS, bool((matrix.diagonal() >= 0).all()))


def _block_diagonal(by_item: Array, index: ParameterIndex) -> "sparse.csr_array":
    """Place the items' own covariances, (I, P, P), at the numbers of their parameters, (n, n)."""
    numbers = index.own
    kept = (numbers >= 0)[:, :, None] & (numbers >= 0)[:, None, :]
    rows = np.broadcast_to(numbers[:, :, None], by_item.shape)[kept]
    columns = np.broadcast_to(numbers[:, None, :], by_item.shape)[kept]
    return sparse.coo_array((by_item[kept], (rows, columns)), shape=(index.n, index.n)).tocsr()


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.toarray() if isinstance(matrix, sparse.csr_array) else matrix, dtype=np.float64)
