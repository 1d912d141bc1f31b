"""Standard errors in the shape of the items that they belong to."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.items import Items, check_scale
from thetaline.irt.standard_errors.delta_method import C_COLUMN, D_COLUMN, PublishedJacobian


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StandardErrors(Items):
    """Standard errors of a, b, c, d: NaN where a parameter was not estimated (anchors, the slope 1 of Rasch) or stands
    at a bound.  `form` is "full matrix", or "item blocks" where covariances between items were left out.
    """

    method: str
    form: str
    positive_definite: bool  # False: not a maximum in every direction, see the fit's notes
    mean: Array  # (G,), NaN where the population's mean was held
    sd: Array  # (G,)

    def rescaled(self, A: float, B: float) -> Self:
        """On the scale theta' = A theta + B: a / A and A b; B moves no error.  A itself is taken as known."""
        check_scale(A, B)
        return self.replaced(a=self.a / A, b=A * self.b, mean=A * self.mean, sd=A * self.sd)


def arranged(
    solution: Solution, rows: PublishedJacobian, errors: Array, *, method: str, form: str, positive_definite: bool
) -> StandardErrors:
    """Put the errors of `rows` where they belong."""
    items = solution.items()
    table = np.full((len(items), items.thresholds.shape[1] + 3), np.nan)  # a, b.., c, d
    own = rows.is_item
    table[rows.owner[own], rows.column[own]] = errors[own]  # c and d count from the right in both
    moments = np.full((len(solution.spec.labels), 2), np.nan)
    moments[rows.owner[~own], rows.column[~own]] = errors[~own]
    b = table[:, 1:-2]
    out = object.__new__(StandardErrors)
    columns = {
        "ids": items.ids,
        "model": items.model,
        "a": table[:, 0],
        "b": b[:, 0] if items.b.ndim == 1 else b,
        "c": table[:, C_COLUMN],
        "d": table[:, D_COLUMN],
        "lowest": items.lowest,
        "by_position": items.by_position,
        "method": method,
        "form": form,
        "positive_definite": positive_definite,
        "mean": moments[:, 0],
        "sd": moments[:, 1],
    }
    for name, column in columns.items():
        object.__setattr__(out, name, column)
    return out
