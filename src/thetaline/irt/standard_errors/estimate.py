"""Standard errors and covariances of a fit, by three methods, on two scales."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thetaline.errors import InputError
from thetaline.irt._types import Array, Index
from thetaline.irt.calibration.e_step import Expectation, single_threaded_blas, workers
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.covariance import ItemCovariance
from thetaline.irt.standard_errors.complete_data import complete_blocks, complete_information
from thetaline.irt.standard_errors.delta_method import C_COLUMN, D_COLUMN, Rows, published_rows
from thetaline.irt.standard_errors.item_blocks import ItemInformation
from thetaline.irt.standard_errors.observed import FullInformation
from thetaline.irt.standard_errors.parameter_index import Parameters, number_parameters
from thetaline.irt.standard_errors.result import StandardErrors, arranged

METHODS = ("oakes", "crossproduct", "sandwich")
SCALES = ("published", "free")
MOST_FULL = 5_000  # parameters: a matrix of 200 MB; above it items are taken one by one


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """Covariance of the free parameters, (n, n): an array, or block-diagonal."""

    matrix: Any  # block-diagonal (sparse) where items were taken one by one
    form: str  # "full matrix" or "item blocks"
    positive_definite: bool

    def of(self, rows: Rows) -> Any:
        """Covariance of the reported quantities, (R, R)."""
        return rows.jacobian @ self.matrix @ rows.jacobian.T

    def variances(self, rows: Rows) -> Array:
        """Its diagonal, (R,)."""
        product = rows.jacobian @ self.matrix
        return np.asarray(rows.jacobian.multiply(product).sum(axis=1)).ravel()


def standard_errors(solution: Solution, *, method: str = "oakes") -> StandardErrors:
    """Return standard errors of a, b, c, d and of the free means and sds.

    "oakes" is the observed information (Oakes, 1999; Chalmers, 2018), right when the model holds; "crossproduct" sums
    products of the persons' scores, cheaper and noisier; "sandwich" joins both and holds when the model does not.
    Under priors they are those of the posterior mode.  Raises InputError for another method.
    """
    parameters = number_parameters(solution)
    found = free_covariance(solution, parameters, method=method)
    rows = published_rows(solution, parameters)
    variances = found.variances(rows)
    with np.errstate(invalid="ignore"):
        errors = np.where(variances > 0, np.sqrt(variances), np.nan)
    return arranged(solution, rows, errors, method=method, form=found.form, positive_definite=found.positive_definite)


def covariance(solution: Solution, *, method: str = "oakes", scale: str = "published") -> ItemCovariance:
    """Return the covariance of all item estimates; raises InputError for an unknown method or scale."""
    if scale not in SCALES:
        raise InputError(f"unknown scale {scale!r}; choose one of {', '.join(SCALES)}")
    parameters = number_parameters(solution)
    found = free_covariance(solution, parameters, method=method)
    rows = published_rows(solution, parameters)
    own = rows.is_item
    ids = solution.item_ids[rows.owner[own]]
    names = _names(rows.column[own], many=bool(solution.spec.n_categories.max() > 2))
    if scale == "published":
        matrix = _dense(found.of(rows))[np.ix_(own, own)]
        return ItemCovariance(ids, names, matrix)
    return ItemCovariance(*_free_labels(solution, parameters), _dense(found.matrix))


def free_covariance(solution: Solution, parameters: Parameters, *, method: str) -> Covariance:
    """Invert the information of the free parameters by the named method."""
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
    with workers(None, solution.problem.data.n_answers) as executor, single_threaded_blas():
        if parameters.n <= MOST_FULL:
            return _full(solution, parameters, method, executor)
        return _by_item(solution, parameters, method, executor)


def _full(solution: Solution, parameters: Parameters, method: str, executor: ThreadPoolExecutor | None) -> Covariance:
    information = FullInformation(solution, parameters, executor)
    prior = complete_information(solution, parameters, _nothing_expected(solution))
    if method == "crossproduct":
        inverse, sure = _inverse(information.crossproduct() + prior)
        return Covariance(inverse, "full matrix", sure)
    inverse, sure = _inverse(information.observed())
    if method == "sandwich":
        inverse = inverse @ (information.crossproduct() + prior) @ inverse
    return Covariance(inverse, "full matrix", sure)


def _by_item(
    solution: Solution, parameters: Parameters, method: str, executor: ThreadPoolExecutor | None
) -> Covariance:
    information = ItemInformation(solution, parameters, executor)
    prior = complete_blocks(solution, parameters, _nothing_expected(solution))
    squares = information.crossproduct_blocks() + prior
    if method != "crossproduct":
        expectation = solution.problem.e_step(solution.state)
        observed = information.observed_blocks(complete_blocks(solution, parameters, expectation), expectation.counts)
    numbers = _own_numbers(parameters)
    bread = _inverse_blocks(squares if method == "crossproduct" else observed, numbers)
    blocks = bread @ squares @ bread if method == "sandwich" else bread
    kept = (numbers >= 0)[:, :, None] & (numbers >= 0)[:, None, :]
    rows = np.broadcast_to(numbers[:, :, None], blocks.shape)[kept]
    columns = np.broadcast_to(numbers[:, None, :], blocks.shape)[kept]
    matrix = sparse.coo_array((blocks[kept], (rows, columns)), shape=(parameters.n, parameters.n)).tocsr()
    return Covariance(matrix, "item blocks", bool((matrix.diagonal() >= 0).all()))


def _nothing_expected(solution: Solution) -> Expectation:
    """No answers at all: what is left of the information is the priors'."""
    model, state = solution.problem.model, solution.state
    theta = solution.problem.nodes.theta(state)
    return Expectation(np.zeros((len(theta), int(model.offsets[-1]), theta.shape[1])), np.zeros(theta.shape), 0.0)


def _inverse(information: Array) -> tuple[Array, bool]:
    """Inverse of a symmetric matrix and whether it is positive definite; else the pseudo-inverse."""
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(information, hermitian=True), dtype=np.float64), False
    return np.asarray(np.linalg.inv(information), dtype=np.float64), True


def _own_numbers(parameters: Parameters) -> Index:
    """Numbers of the parameters that belong to one item only."""
    numbers, counts = np.unique(parameters.of_item, return_counts=True)
    return np.where(np.isin(parameters.of_item, numbers[counts > 1]), -1, parameters.of_item)


def _inverse_blocks(blocks: Array, numbers: Index) -> Array:
    """Invert each item's block; rows without a parameter become unit rows."""
    none = numbers < 0
    safe = np.where(none[:, :, None] | none[:, None, :], 0.0, blocks)
    diagonal = np.arange(blocks.shape[1])
    safe[:, diagonal, diagonal] = np.where(none, 1.0, safe[:, diagonal, diagonal])
    return np.asarray(np.linalg.pinv(safe, hermitian=True), dtype=np.float64)


def _names(column: Index, *, many: bool) -> NDArray[np.object_]:
    names = {0: "a", C_COLUMN: "c", D_COLUMN: "d"}
    out = np.empty(len(column), dtype=object)
    out[:] = [names.get(k, f"b{k}" if many else "b") for k in column.tolist()]
    return out


def _free_labels(solution: Solution, parameters: Parameters) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Ids and names ("slope", "intercept1", .., "logit c", "mean", "log sd") of the free parameters in order."""
    ids, names = np.empty(parameters.n, dtype=object), np.empty(parameters.n, dtype=object)
    for block in solution.problem.model.item_blocks:
        tail = ["logit c"] * block.family.has_c + ["logit d"] * block.family.has_d
        own = ["slope", *(f"intercept{k}" for k in range(1, block.n_categories)), *tail]
        for j, numbers in zip(block.index, parameters.of_item[block.index, : block.n_free], strict=True):
            for name, number in zip(own, numbers.tolist(), strict=True):
                if number >= 0:
                    shared = name == "slope" and block.tie is not None
                    ids[number] = block.tie if shared else solution.item_ids[solution.problem.data.order[j]]
                    names[number] = name
    for label, numbers in zip(solution.spec.labels, parameters.of_group.tolist(), strict=True):
        for name, number in zip(("mean", "log sd"), numbers, strict=True):
            if number >= 0:
                ids[number], names[number] = label, name
    return ids, names


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.toarray() if isinstance(matrix, sparse.csr_array) else matrix, dtype=np.float64)
