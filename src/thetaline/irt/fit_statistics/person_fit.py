"""Does a person answer as anybody of their ability would? lz and its corrected form lz*.

lz (Drasgow, Levine & Williams 1985) standardises the log-likelihood of a person's answers as if θ were known; with an
estimate in its place its variance is below 1. lz* (Snijders 2001; Sinharay 2016 for more than two categories) takes out
the part of the log-likelihood that the estimate has used up: with s = ∂ log P / ∂θ and c = Σ Cov(log P, s) / Σ Var(s),

    lz* = (Σ (log P_x − E log P) − c Σ s_x) / sqrt(Σ Var(log P) − c Σ Cov(log P, s)).

Snijders' r_0 of an estimator equals −Σ s_x at its estimate, so that one line serves MLE, MAP and WLE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._coding import frame
from thetaline.irt._types import Array, Ids, Ints, Labelled, short_repr
from thetaline.irt.fit_statistics.estimated import Calibration, abilities, answers_within, check_fit, estimated
from thetaline.irt.fit_statistics.residuals import ItemAnswers, answers_by_item
from thetaline.irt.items import Items
from thetaline.irt.p_values import lower_tail
from thetaline.irt.responses import Responses
from thetaline.irt.scoring import score

if TYPE_CHECKING:
    import pandas as pd


# Relative to Var(lz's numerator): below this the sum score holds all there is to know (equal Rasch items).
LEAST_VARIANCE_LEFT = 1e-9
ESTIMATES = ("WLE", "MAP", "MLE")


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class PersonFit:
    """Person fit of N persons; large negative values are answers that do not go together."""

    person_ids: Ids
    theta: Array  # (N,) the estimate at which lz* was taken
    n_answers: Ints
    lz: Array  # (N,) at the EAP; NaN without answers
    lz_star: Array  # (N,) about N(0, 1) under the model; NaN where θ is infinite or the answers leave nothing to test
    method: str

    @property
    def p(self) -> Array:
        """(N,) lower tail area of lz*."""
        return lower_tail(self.lz_star)

    def flagged(self, alpha: float = 0.05) -> Ids:
        """Ids of persons whose lower tail area is below `alpha`."""
        return self.person_ids[self.p < alpha]

    def to_frame(self) -> pd.DataFrame:
        """One row a person; needs pandas."""
        columns = {"person_id": self.person_ids, "theta": self.theta, "n_answers": self.n_answers}
        return frame({**columns, "lz": self.lz, "lz_star": self.lz_star, "p": self.p})


def person_fit(
    fit: Calibration, responses: Responses, *, groups: Labelled | None = None, method: str = "WLE"
) -> PersonFit:
    """Compute lz at each person's EAP (the Zh of the R package mirt) and lz* at the estimate `method`.

    `method` is "WLE", "MAP" or "MLE"; an infinite MLE has no lz*. `groups`, labels as for `calibrate`, are needed where
    it had several. Persons may be others than those calibrated.

    Raises InputError for another method, ResponsesError where no answered item is in the calibration.
    """
    check_fit(fit, responses)
    if method not in ESTIMATES:
        raise InputError(f"lz* corrects for {', '.join(ESTIMATES)}, not for {method!r}")
    known = answers_within(fit.items, responses)
    model = estimated(fit, known, groups)
    theta = score(known, model.items, method=method, prior=model.prior()).theta
    return PersonFit(
        person_ids=known.person_ids,
        theta=theta,
        n_answers=np.diff(known.indptr),
        lz=person_sums(model.items, known, abilities(model, known)).lz,
        lz_star=person_sums(model.items, known, theta).lz_star,
        method=method,
    )


class _Sums(NamedTuple):
    """Sums over each person's answers, each (N,)."""

    surprise: Array  # log P_x − E log P
    variance: Array  # Var log P
    covariance: Array  # Cov(log P, s)
    information: Array  # Var s
    score: Array  # s_x

    @property
    def lz(self) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.variance > 0, self.surprise / np.sqrt(self.variance), np.nan)

    @property
    def lz_star(self) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            c = self.covariance / self.information
            left = self.variance - c * self.covariance
            testable = left > LEAST_VARIANCE_LEFT * self.variance
            return np.where(testable, (self.surprise - c * self.score) / np.sqrt(left), np.nan)


def person_sums(items: Items, responses: Responses, theta: Array) -> _Sums:
    """Add up what lz and lz* need over each person's answers at their θ."""
    totals = np.zeros((5, responses.n_persons))
    for answers in answers_by_item(items, responses, theta):
        # Nobody answers an item twice, so plain indexed addition sees each person once.
        totals[:, answers.person] += _parts(answers)
    return _Sums(*totals)


def _parts(answers: ItemAnswers) -> Array:
    log_p, s = answers.log_prob, answers.d_theta
    p = np.exp(log_p)
    mean = np.sum(p * log_p, axis=0)
    away = log_p - mean
    rows = (np.sum(p * away**2, axis=0), np.sum(p * away * s, axis=0), np.sum(p * s**2, axis=0))
    return np.stack([away[answers.given], *rows, s[answers.given]])
