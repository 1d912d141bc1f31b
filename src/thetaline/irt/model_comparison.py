"""Which of several calibrations of the same answers to keep: likelihood ratios, AIC and BIC."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import check_kinds
from thetaline.irt._coding import frame
from thetaline.irt._types import Array, Ids, Index, short_repr
from thetaline.irt.fit import Fit
from thetaline.irt.p_values import p_value

if TYPE_CHECKING:
    import pandas as pd

ROUNDING = 1e-3  # of a log-likelihood, as exact as its optimiser: a smaller one of the larger model than this is no fit


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ModelComparison:
    """F fits from few to many parameters; the ratio of each is against the fit before it, NaN for the first."""

    model: Ids  # (F,) the families of each fit
    n_parameters: Index  # (F,)
    log_likelihood: Array  # (F,)
    aic: Array  # (F,)
    bic: Array  # (F,)
    chi2: Array  # (F,) twice the difference of the log-likelihoods
    df: Index  # (F,) difference of the numbers of parameters, 0 for the first
    p: Array  # (F,)
    notes: tuple[str, ...]  # why a p is missing or what it rests on

    def to_frame(self) -> "pd.DataFrame":
        """Return one row a fit: model, n_parameters, log_likelihood, aic, bic, chi2, df, p.  Needs pandas."""
        sizes = {"model": self.model, "n_parameters": self.n_parameters, "log_likelihood": self.log_likelihood}
        return frame({**sizes, "aic": self.aic, "bic": self.bic, "chi2": self.chi2, "df": self.df, "p": self.p})


def compare(*fits: Fit) -> ModelComparison:
    """Compare two or more calibrations of the same answers by likelihood ratio, AIC and BIC.

    The ratio is χ² with the difference of the numbers of parameters where the smaller model lies inside the larger one
    (Wilks, 1938): that the caller knows.  Where it lies on the edge, as the 2PL does in the 3PL (c = 0), p is too large
    (Self & Liang, 1987).  Fits under priors maximise no likelihood: they get AIC and BIC and no p.

    AIC: Akaike (1974); BIC: Schwarz (1978).  Raises InputError for fewer than two
    fits and for fits of different answers.
    """
    check_kinds(**{f"fit {number}": (fit, Fit) for number, fit in enumerate(fits, 1)})
    if len(fits) < 2:
        raise InputError(f"{len(fits)} fits cannot be compared; give two or more of the same answers")
    ordered = sorted(fits, key=lambda fit: fit.n_parameters)
    _check_same_answers(ordered)
    numbers = np.array([fit.n_parameters for fit in ordered], dtype=np.intp)
    value = np.array([fit.log_likelihood for fit in ordered])
    chi2, df = np.append(np.nan, 2.0 * np.diff(value)), np.append(0, np.diff(numbers))
    notes = dict(_notes(ordered))
    p = np.array([np.nan if k == 0 or k in notes else float(p_value(max(chi2[k], 0.0), df[k])) for k in range(len(df))])
    model = np.empty(len(ordered), dtype=object)
    model[:] = [" + ".join(sorted(set(fit.items.model.tolist()))) for fit in ordered]
    aic, bic = (np.array([getattr(fit, name) for fit in ordered]) for name in ("aic", "bic"))
    return ModelComparison(model, numbers, value, aic, bic, chi2, df, p, tuple(notes.values()))


def _check_same_answers(fits: Sequence[Fit]) -> None:
    first = fits[0].category_counts()
    for number, fit in enumerate(fits[1:], 2):
        counts = fit.category_counts()
        if counts != first:
            different = [name for name in first.keys() | counts.keys() if first.get(name) != counts.get(name)]
            raise InputError(
                f"fits 1 and {number}, by their number of parameters, are of different answers: "
                f"those to {len(different)} items differ, first {different[:3]}; calibrate the same responses"
            )


def _notes(fits: Sequence[Fit]) -> list[tuple[int, str]]:
    """Of each pair without a test its place and the reason."""
    found = []
    for place, (small, large) in enumerate(pairwise(fits), 1):
        if small.penalised or large.penalised:
            found.append((place, f"fit {place + 1}: no p, a fit under priors maximises no likelihood"))
        elif large.n_parameters == small.n_parameters:
            found.append((place, f"fit {place + 1}: no p, it has as many parameters as the fit before it"))
        elif not (small.converged and large.converged):
            found.append((place, f"fit {place + 1}: no p, it or the fit before it has not converged"))
        elif large.log_likelihood < small.log_likelihood - ROUNDING:
            found.append((place, f"fit {place + 1}: no p, it fits worse than one with fewer parameters: not nested"))
    return found
