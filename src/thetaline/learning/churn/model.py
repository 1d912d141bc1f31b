"""The hazard of silence from standardised covariates, recalibrated where later weeks show it to be off."""

from dataclasses import dataclass

import numpy as np

from thetaline.learning._types import Array, Ints
from thetaline.learning.churn.hazard import Hazard, fit_hazard, probability
from thetaline.learning.churn.landmarks import LandmarkRows

MIN_SD = 1e-9
RECALIBRATION_PRECISION = 10.0  # of the slope's departure from 1


@dataclass(frozen=True, slots=True, eq=False)
class ChurnModel:
    """`used` are positions of the covariates that vary; unknown values count as the mean."""

    used: Ints
    mean: Array
    sd: Array
    hazard: Hazard

    def eta(self, rows: LandmarkRows) -> Array:
        """(R,) log of the cumulative hazard over the days ahead."""
        return self.hazard.eta(_scores(rows.x[:, self.used], self.mean, self.sd))

    @property
    def coefficients(self) -> tuple[Array, Array]:
        """(P',) β a unit of each covariate, and standard errors."""
        return self.hazard.beta[1:] / self.sd, self.hazard.se[1:] / self.sd


@dataclass(frozen=True, slots=True, eq=False)
class Recalibration:
    """η becomes η + a + (b − 1) η."""

    change: Hazard | None = None

    def risk(self, eta: Array) -> Array:
        """(R,) probability of silence."""
        return probability(eta if self.change is None else self.change.eta(eta[:, None], eta))


def fit_model(rows: LandmarkRows, *, only: tuple[str, ...] | None = None) -> ChurnModel:
    """Of rows whose outcome is known; `only` some covariates."""
    wanted = np.array([only is None or name in only for name in rows.names])
    mean, sd = _moments(rows.x)
    used = np.flatnonzero(wanted & (sd > MIN_SD))
    scores = _scores(rows.x[:, used], mean[used], sd[used])
    return ChurnModel(used, mean[used], sd[used], fit_hazard(scores, rows.silent, rows.learner))


def recalibrated(eta: Array, silent: Array, learner: Ints) -> Recalibration:
    """From forecasts of rows that no fit has seen."""
    return Recalibration(fit_hazard(eta[:, None], silent, learner, prior_precision=RECALIBRATION_PRECISION, offset=eta))


def varying(rows: LandmarkRows) -> list[str]:
    """Names of the covariates that differ between rows."""
    return [name for name, sd in zip(rows.names, _moments(rows.x)[1], strict=True) if sd > MIN_SD]


def _moments(x: Array) -> tuple[Array, Array]:
    """(P,) mean and sd of the known values; of none known 0."""
    known = np.isfinite(x)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, x, 0.0).sum(axis=0) / n
    return mean, np.sqrt(np.square(np.where(known, x - mean, 0.0)).sum(axis=0) / n)


def _scores(x: Array, mean: Array, sd: Array) -> Array:
    return np.where(np.isfinite(x), (x - mean) / sd, 0.0)
