"""Regression of a yes or no with the complementary log–log link: exp(β) is a hazard ratio (Prentice & Gloeckler 1978).

P(y = 1) = 1 − exp(−exp(η)), η = offset + β₀ + x'β, by Fisher scoring with a normal prior on β that keeps it finite
where covariates separate; standard errors allow for rows of the same learner (Liang & Zeger 1986).
"""

from dataclasses import dataclass

import numpy as np

from thetaline.errors import CalibrationError
from thetaline.learning._types import Array, Ints

MAX_STEPS = 50
TOLERANCE = 1e-12  # of log-likelihood a row
MOST_ETA = 4.0  # 1 − P is 2e-24 there


@dataclass(frozen=True, slots=True, eq=False)
class Hazard:
    """Intercept first, then one coefficient a covariate, with their covariance."""

    beta: Array
    covariance: Array
    log_likelihood: float

    @property
    def se(self) -> Array:
        """Standard errors."""
        return np.sqrt(np.diag(self.covariance))

    def eta(self, x: Array, offset: Array | float = 0.0) -> Array:
        """(R,) linear predictor."""
        return np.asarray(offset + self.beta[0] + x @ self.beta[1:])


def probability(eta: Array) -> Array:
    """1 − exp(−exp(η))."""
    return np.asarray(-np.expm1(-np.exp(np.minimum(eta, MOST_ETA))))


def fit_hazard(
    x: Array, y: Array, cluster: Ints, *, prior_precision: float = 1.0, offset: Array | float = 0.0
) -> Hazard:
    """Of (R, P) covariates, (R,) outcomes 0 or 1 and (R,) clusters. Raises CalibrationError where it does not converge.

    `prior_precision` is of each β around 0, the intercept's excepted; covariates should have a similar spread.
    """
    design = np.column_stack([np.ones(y.size), x])
    precision = np.diag([0.0, *[prior_precision] * x.shape[1]])
    beta = np.zeros(design.shape[1])
    share = (y.sum() + 0.5) / (y.size + 1)
    beta[0] = np.log(-np.log1p(-share)) - float(np.mean(offset))
    value = _penalised(design, y, offset, beta, precision)
    for _ in range(MAX_STEPS):
        score, information = _derivatives(design, y, offset, beta)
        step = np.linalg.solve(information + precision, design.T @ score - precision @ beta)
        beta, gain = _climbed(design, y, offset, beta, step, precision, value)
        value += gain
        if gain < TOLERANCE * y.size:
            return _result(design, y, cluster, offset, beta, precision)
    raise CalibrationError(f"the hazard model did not converge in {MAX_STEPS} steps; its last gain was {gain:.3g}")


def _log_likelihood(design: Array, y: Array, offset: Array | float, beta: Array) -> float:
    eta = np.minimum(offset + design @ beta, MOST_ETA)
    rate = np.exp(eta)
    return float(np.sum(np.where(y > 0, np.log(-np.expm1(-rate)), -rate)))


def _penalised(design: Array, y: Array, offset: Array | float, beta: Array, precision: Array) -> float:
    return _log_likelihood(design, y, offset, beta) - float(beta @ precision @ beta) / 2


def _derivatives(design: Array, y: Array, offset: Array | float, beta: Array) -> tuple[Array, Array]:
    """(R,) d log L / dη and the expected information of β."""
    rate = np.exp(np.minimum(offset + design @ beta, MOST_ETA))
    ratio = rate / -np.expm1(-rate)
    weight = rate * ratio * np.exp(-rate)
    return y * ratio - rate, (design * weight[:, None]).T @ design


def _observed(design: Array, y: Array, offset: Array | float, beta: Array) -> Array:
    """The observed information of β, which is what a sandwich needs: the link is not the canonical one."""
    rate = np.exp(np.minimum(offset + design @ beta, MOST_ETA))
    ratio = rate / -np.expm1(-rate)
    weight = rate - y * ratio * (1 - ratio * np.exp(-rate))
    return np.asarray((design * weight[:, None]).T @ design)


def _climbed(
    design: Array, y: Array, offset: Array | float, beta: Array, step: Array, precision: Array, value: float
) -> tuple[Array, float]:
    """The longest of the step's halves that does not lower the penalised likelihood, and what it gains."""
    for _ in range(30):
        gain = _penalised(design, y, offset, beta + step, precision) - value
        if gain >= 0:
            return beta + step, gain
        step = step / 2
    return beta, 0.0


def _result(design: Array, y: Array, cluster: Ints, offset: Array | float, beta: Array, precision: Array) -> Hazard:
    score, _ = _derivatives(design, y, offset, beta)
    information = _observed(design, y, offset, beta)
    _, code = np.unique(cluster, return_inverse=True)
    of_cluster = np.zeros((int(code.max()) + 1, beta.size))
    np.add.at(of_cluster, code, score[:, None] * design)
    inverse = np.linalg.inv(information + precision)  # it is the covariance that is wanted
    covariance = inverse @ (of_cluster.T @ of_cluster) @ inverse
    return Hazard(beta, covariance, _log_likelihood(design, y, offset, beta))
