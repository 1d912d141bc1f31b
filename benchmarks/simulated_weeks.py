"""Weekly series with known truth: constant, walking, rising, levelling off, with a vacation, with outliers."""

from dataclasses import dataclass

import numpy as np

from thetaline.learning.forecast import Metric, Panel

KINDS = ("constant", "random walk", "trend", "plateau", "vacation", "outliers")
MISSING = 0.12  # of the weeks, without an answer
WALK_SD = 0.12  # of θ a week
OUTLIER_SHARE, OUTLIER_SIZE = 0.05, 2.5
I_T_UNIT = 0.25  # I_t of a rise of θ by 1


@dataclass(frozen=True)
class Weeks:
    """N learners over T weeks: the θ behind them, what was answered, and of which kind each series is."""

    theta: np.ndarray
    answers: np.ndarray
    right: np.ndarray
    kind: np.ndarray
    vacation: np.ndarray  # (T,)
    noise: np.ndarray  # (N, T) standard normal, of the estimates of θ

    def panel(self, metric: Metric) -> Panel:
        """The series of a metric, as a job would read them."""
        n = self.answers.astype(float)
        some = n > 0
        if metric is Metric.ACTIVITY:
            return Panel(metric, n, np.ones_like(n), self.vacation)
        if metric is Metric.ACCURACY:
            value = np.divide(self.right, n, out=np.full(n.shape, np.nan), where=some)
            return Panel(metric, value, np.where(some, n, np.nan), self.vacation)
        se = np.divide(2.2, np.sqrt(n), out=np.full(n.shape, np.nan), where=some)
        theta = self.theta + se * self.noise
        if metric is Metric.THETA:
            return Panel(metric, theta, se, self.vacation)
        return Panel(metric, _improvement(theta), np.full(n.shape, np.nan), self.vacation)


def simulated_weeks(rng: np.random.Generator, n: int, weeks: int, *, kinds: tuple[str, ...] = KINDS) -> Weeks:
    """Kinds in turn; answers are negative binomial around a rate of each learner's own."""
    kind = np.array(kinds)[np.arange(n) % len(kinds)]
    theta, odd = _theta(rng, kind, weeks)
    rate = rng.lognormal(2.6, 0.5, (n, 1)) * np.exp(0.15 * rng.normal(size=(n, weeks)))
    activity = rng.poisson(rate * rng.gamma(8.0, 1 / 8.0, (n, weeks)))
    activity[rng.random((n, weeks)) < MISSING] = 0
    vacation = np.zeros(weeks, bool)
    vacation[np.arange(weeks) % 13 == 6] = True
    away = (kind == "vacation")[:, None] & vacation
    activity[away] = rng.poisson(0.5, int(away.sum()))
    p = 1 / (1 + np.exp(-(theta + 0.8 + OUTLIER_SIZE * odd)))
    right = rng.binomial(activity, p)
    return Weeks(theta + OUTLIER_SIZE * odd, activity, right, kind, vacation, rng.normal(size=(n, weeks)))


def _theta(rng: np.random.Generator, kind: np.ndarray, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    """θ (N, T) without the outliers, and where they are with their sign."""
    n, t = kind.size, np.arange(weeks)
    theta = np.repeat(rng.normal(size=(n, 1)), weeks, axis=1)
    walks = np.isin(kind, ["random walk", "vacation"])
    theta[walks] += np.cumsum(rng.normal(scale=WALK_SD, size=(walks.sum(), weeks)), axis=1)
    slope = rng.normal(0.06, 0.05, (n, 1))
    theta += np.where((kind == "trend")[:, None], slope * np.minimum(t, 26), 0.0)
    half = rng.uniform(3, 8, (n, 1))
    theta += np.where((kind == "plateau")[:, None], 1.0 - np.exp2(-t / half), 0.0)
    odd = (rng.random((n, weeks)) < OUTLIER_SHARE) * rng.choice([-1.0, 1.0], (n, weeks))
    return theta, np.where((kind == "outliers")[:, None], odd, 0.0)


def _improvement(theta: np.ndarray) -> np.ndarray:
    """I_t of two weeks against the two before, clamped; the first three weeks have none."""
    found = np.full(theta.shape, np.nan)
    pair = (theta[:, 1:] + theta[:, :-1]) / 2
    found[:, 3:] = np.clip(I_T_UNIT * (pair[:, 2:] - pair[:, :-2]), -1.0, 1.0)
    return found
