"""The variances that all series of a kind share, by maximum likelihood, held by wide priors where series are few."""

import numpy as np
from scipy.optimize import minimize

from thetaline.learning._types import Array, Index, Mask
from thetaline.learning.forecast.kalman import OUTLIER_Z, Filtered, TrendVariances, run_filter
from thetaline.learning.forecast.student_t import log_density

MOST_VALUES = 8_000  # that the variances are estimated from; more move no forecast by a hundredth of its error
FTOL = 1e-6  # of the log posterior, relative
SPREAD_OF_EACH = 1e-9  # of values, below which they are one constant
DEGREES = (3.0, 5.0, 8.0, 12.0, 20.0, 40.0, np.inf)  # of the series' scales, the best of which is taken
DEGREES_PRIOR = dict(zip(DEGREES, -np.abs(np.arange(7.0) - 2), strict=True))  # its log; a few values cannot tell
# Log-normal priors of variances, in units of the variance of all values: mean and sd of the logarithm.
PRIORS = {
    "level_variance": (np.log(0.7), 1.5),
    "slope_variance": (np.log(0.002), 2.0),
    "level_walk": (np.log(0.02), 1.5),
    "slope_walk": (np.log(0.0003), 2.0),
    "noise": (np.log(0.1), 1.5),
}
LEVEL_SD, SLOPE_SD = 1.0, 0.1  # of the priors of the mean level and slope, in sd of all values
BOUNDS = [(-3.0, 3.0), (-1.0, 1.0), *[(-14.0, 4.0)] * 5]  # of level, slope and the logarithms
LOG_MEAN, LOG_SD = np.array(list(PRIORS.values())).T


def pooled_variances(y: Array, sampling: Array, known: Mask) -> TrendVariances:
    """Of N series over T weeks; outliers count as Huber (1964) has them, so that they do not widen every forecast."""
    rows = _some(*y.shape)
    y, sampling, known = y[rows], sampling[rows], known[rows]
    centre, spread = float(y[known].mean()), max(float(y[known].std()), SPREAD_OF_EACH)
    scaled, variance = (y - centre) / spread, sampling / spread**2

    def minus_log_posterior(x: Array) -> float:
        found = run_filter(scaled, variance, known, _variances(x))
        return _huber(found, known) - _log_prior(x)

    start = np.concatenate([[0.0, 0.0], LOG_MEAN])
    found = minimize(minus_log_posterior, start, method="L-BFGS-B", bounds=BOUNDS, options={"ftol": FTOL})
    return _rescaled(_variances(found.x), centre, spread)


def pooled_dof(y: Array, sampling: Array, known: Mask, v: TrendVariances) -> float:
    """The degrees of freedom of the series' scales under which what came was least surprising."""
    rows = _some(*y.shape)

    def log_likelihood(dof: float) -> float:
        found = run_filter(y[rows], sampling[rows], known[rows], v, dof=dof)
        return float(DEGREES_PRIOR[dof] + log_density(found.z, found.scale2, found.dof)[known[rows]].sum())

    return max(DEGREES, key=log_likelihood)


def _some(n: int, weeks: int) -> Index:
    return np.unique(np.linspace(0, n - 1, min(n, MOST_VALUES // weeks)).round().astype(np.intp))


def _variances(x: Array) -> TrendVariances:
    level_variance, slope_variance, level_walk, slope_walk, noise = np.exp(x[2:]).tolist()
    return TrendVariances(x[0], level_variance, x[1], slope_variance, level_walk, slope_walk, noise)


def _rescaled(v: TrendVariances, centre: float, spread: float) -> TrendVariances:
    square = spread**2
    return TrendVariances(
        centre + spread * v.level,
        square * v.level_variance,
        spread * v.slope,
        *(square * one for one in (v.slope_variance, v.level_walk, v.slope_walk, v.noise)),
    )


def _huber(found: Filtered, known: Mask) -> float:
    """½ Σ (log F + ρ(z)), ρ quadratic up to `OUTLIER_Z`, linear beyond."""
    z, variance = np.abs(found.z[known]), found.variance[known]
    rho = np.where(z <= OUTLIER_Z, z * z, OUTLIER_Z * (2 * z - OUTLIER_Z))
    return 0.5 * float((np.log(variance) + rho).sum())


def _log_prior(x: Array) -> float:
    scores = (x[2:] - LOG_MEAN) / LOG_SD
    return -0.5 * float((x[0] / LEVEL_SD) ** 2 + (x[1] / SLOPE_SD) ** 2 + (scores**2).sum())
