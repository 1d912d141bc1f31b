"""How good probabilities of silence are: log-loss, Brier score, AUC, calibration; and whether one is better."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from thetaline.learning._types import Array, Ints

LEAST_PROBABILITY = 1e-6  # nothing that is forecast is surer
MIN_ROWS = 30  # of a group, of whose accuracy anything can be said
MIN_OF_EACH = 5  # rows of either outcome
N_RESAMPLES = 400


class Accuracy(NamedTuple):
    """Of n rows, `n_silent` with the event; what cannot be told is NaN. A calibrated forecast: slope 1, intercept 0."""

    n: int
    n_silent: int
    log_loss: float
    brier: float
    auc: float
    slope: float
    intercept: float


def losses(p: Array, y: Array) -> tuple[Array, Array]:
    """(R,) log-loss and squared error of each row."""
    sure = np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return -np.where(y > 0, np.log(sure), np.log1p(-sure)), np.square(p - y)


def accuracy(p: Array, y: Array) -> Accuracy:
    """All of it; too few rows, or of one outcome, have numbers only."""
    n, n_silent = y.size, int(y.sum())
    if n < MIN_ROWS or min(n_silent, n - n_silent) < MIN_OF_EACH:
        return Accuracy(n, n_silent, *[float("nan")] * 5)
    log_loss, brier = losses(p, y)
    slope, intercept = calibration_line(p, y)
    return Accuracy(n, n_silent, float(log_loss.mean()), float(brier.mean()), auc(p, y), slope, intercept)


def auc(p: Array, y: Array) -> float:
    """P(a silent one was forecast higher than another), ties count half."""
    n_silent = y.sum()
    ranks = average_ranks(p)[y > 0].sum()
    return float((ranks - n_silent * (n_silent + 1) / 2) / (n_silent * (y.size - n_silent)))


def average_ranks(values: Array) -> Array:
    """(R,) ranks from 1 on, the mean rank where values tie; SciPy's own costs a second to load."""
    _, back, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[back])


def calibration_line(p: Array, y: Array) -> tuple[float, float]:
    """Slope and intercept of logit P(y = 1) on logit p (Cox 1958), by Newton's method; NaN where there is none."""
    at = logit(np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY))
    if np.ptp(at) == 0:
        return float("nan"), float("nan")
    design = np.column_stack([at, np.ones(y.size)])
    beta = np.array([1.0, 0.0])
    for _ in range(50):
        fitted = expit(design @ beta)
        weight = fitted * (1 - fitted)
        step = np.linalg.lstsq((design * weight[:, None]).T @ design, design.T @ (y - fitted), rcond=None)[0]
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            return float(beta[0]), float(beta[1])
    return float("nan"), float("nan")  # one value of p parts the outcomes: every slope is too flat


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean loss of a model less that of a baseline, with 95 % bootstrap intervals over learners; below 0 is better."""

    baseline: str
    log_loss: float
    log_loss_interval: tuple[float, float]
    brier: float
    brier_interval: tuple[float, float]
    n_better: int  # hold-outs on which it is better in both
    n_holdouts: int

    def is_better(self, *, least_holdouts: int) -> bool:
        """Better in both for certain, and on that many hold-outs."""
        return max(self.log_loss_interval[1], self.brier_interval[1]) < 0 and self.n_better >= least_holdouts


def compared(
    baseline: str, ours: Array, theirs: Array, y: Array, learner: Ints, holdout: Ints, rng: np.random.Generator
) -> Comparison:
    """Of the same rows (R,), each of a learner and a hold-out."""
    difference = np.column_stack(losses(ours, y)) - np.column_stack(losses(theirs, y))
    means = [difference[holdout == one].mean(axis=0) for one in np.unique(holdout)]
    low, high = _interval(difference, learner, rng)
    return Comparison(
        baseline=baseline,
        log_loss=float(difference[:, 0].mean()),
        log_loss_interval=(float(low[0]), float(high[0])),
        brier=float(difference[:, 1].mean()),
        brier_interval=(float(low[1]), float(high[1])),
        n_better=sum(bool((one < 0).all()) for one in means),
        n_holdouts=len(means),
    )


def _interval(difference: Array, learner: Ints, rng: np.random.Generator) -> Array:
    """(2, 2) 2.5 and 97.5 % points of the mean, learners drawn with all their rows."""
    _, code = np.unique(learner, return_inverse=True)
    n = int(code.max()) + 1
    sums = np.column_stack([np.bincount(code, column, n) for column in (*difference.T, np.ones(code.size))])
    drawn = np.array([np.bincount(rng.integers(n, size=n), minlength=n) @ sums for _ in range(N_RESAMPLES)])
    return np.asarray(np.percentile(drawn[:, :2] / drawn[:, 2:], [2.5, 97.5], axis=0))
