"""The result of a calibration."""

from dataclasses import dataclass, replace

import numpy as np

from thetaline.irt._types import Array, Mask
from thetaline.irt.calibration.diagnostics import Diagnosis
from thetaline.irt.calibration.em import Cycle, Status
from thetaline.irt.calibration.findings import UNDETERMINED, Finding, Note
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.coefficients import Coefficients, coefficients
from thetaline.irt.covariance import ItemCovariance
from thetaline.irt.items import Items
from thetaline.irt.population import Population
from thetaline.irt.standard_errors import StandardErrors, covariance, covariance_by_item, standard_errors


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Items, population and how the iteration went; `log_likelihood` is without the prior."""

    items: Items
    anchored: Mask  # (I,) whether an item was held fixed
    population: Population
    log_likelihood: float
    n_parameters: int
    n_persons: float
    status: Status
    path: tuple[Cycle, ...]
    tol: float
    _solution: Solution
    _diagnosis: Diagnosis

    def __repr__(self) -> str:
        """Items, likelihood and status."""
        return (
            f"Fit({self.items!r}, log-likelihood {self.log_likelihood:.4f}, {self.status} after {self.cycles} cycles)"
        )

    @property
    def converged(self) -> bool:
        """Whether the parameters are within `tol` of their limit."""
        return self.status is Status.CONVERGED

    @property
    def cycles(self) -> int:
        """Number of E-steps, those on a part of the persons included (see `path`)."""
        return len(self.path)

    @property
    def aic(self) -> float:
        """-2 log-likelihood + 2 parameters."""
        return -2.0 * self.log_likelihood + 2.0 * self.n_parameters

    @property
    def bic(self) -> float:
        """-2 log-likelihood + log(N) parameters."""
        return -2.0 * self.log_likelihood + float(np.log(self.n_persons)) * self.n_parameters

    @property
    def notes(self) -> tuple[Note, ...]:
        """What there is to say of items, persons and groups; made at the first look, by passes over the answers."""
        return self._diagnosis.notes()

    def ids_with(self, finding: Finding) -> list[object]:
        """Return the ids of the items or persons, or the labels of the groups, with a finding."""
        return [name for note in self.notes if note.finding is finding for name in note.ids.tolist()]

    def standard_errors(self, method: str = "oakes", form: str | None = None) -> StandardErrors:
        """Return standard errors in the shape of the items; see `irt.standard_errors` for methods and forms.

        Raises InputError for an unknown method or form.
        """
        return standard_errors(self._solution, method=method, form=form)

    def covariance_by_item(self, method: str = "oakes") -> Array:
        """Return each item's own covariance of (a, b or b1 .., c, d), (I, W, W) in the order of `items`.

        The information of each item is inverted by itself (see `standard_errors`, "item blocks"); NaN where a parameter
        was not estimated.  Raises InputError for an unknown method.
        """
        return covariance_by_item(self._solution, method=method)

    def coefficients(self, level: float = 0.95, method: str = "oakes") -> Coefficients:
        """Return every estimate with its standard error and a Wald interval of `level`, a row a parameter.

        Raises InputError for what is no level and for an unknown method.
        """
        return coefficients(self.items, self.population, self.standard_errors(method), level)

    def category_counts(self) -> dict[object, tuple[float, ...]]:
        """Return {item id: how many answers in each category} of what was calibrated."""
        return self._solution.category_counts()

    @property
    def penalised(self) -> bool:
        """Whether priors had a part in the estimates."""
        return not self._solution.problem.priors.flat

    def covariance(self, method: str = "oakes", scale: str = "published") -> ItemCovariance:
        """Return the covariance of the estimates, `published` (a, b, c, d) or `free` (slope, intercepts, logits).

        Raises InputError for an unknown method or scale.
        """
        found = covariance(self._solution, method=method, scale=scale)
        status = str(self.status) if self.converged else f"{self.status}: {self.status.advice}"
        doubtful = frozenset(name for finding in UNDETERMINED for name in self.ids_with(finding))
        return replace(found, status=status, notes=tuple(map(str, self.notes)), doubtful=doubtful)
