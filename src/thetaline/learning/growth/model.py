"""The model's parameters as one vector, the prior that they give a learner's weeks, and their own prior.

θ of learner i in week t is x_i'β + z_i'γ t + u_0i + u_1i t + w_i(t), plus δ_ik on topic k: (u_0, u_1) bivariate
normal, δ ~ N(0, τ²), w a random walk with variance ω² a week that is 0 now.  All standard deviations are free as
logarithms and the correlation as its inverse hyperbolic tangent, so that no step leaves the parameter space.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.learning._types import Array
from thetaline.learning.growth.spec import GrowthPriors


class Spreads(NamedTuple):
    """Standard deviations on the θ scale, correlation of level and slope; 0 where the model has no such effect."""

    level_sd: float
    slope_sd: float
    correlation: float
    topic_sd: float
    walk_sd: float


@dataclass(frozen=True, slots=True)
class GrowthModel:
    """Which parameters there are: coefficients of the level, of the slope, then the spreads that are free."""

    n_level: int
    n_slope: int
    slope_spread: bool = True
    topic_spread: bool = True
    walk: bool = True

    @property
    def n_fixed(self) -> int:
        """Coefficients."""
        return self.n_level + self.n_slope

    @property
    def spread_names(self) -> tuple[str, ...]:
        """Fields of `Spreads` that are free, in the order of the vector."""
        free = {
            "level_sd": True,
            "slope_sd": self.slope_spread,
            "correlation": self.slope_spread,
            "topic_sd": self.topic_spread,
            "walk_sd": self.walk,
        }
        return tuple(name for name, there in free.items() if there)

    @property
    def size(self) -> int:
        """P."""
        return self.n_fixed + len(self.spread_names)

    def spreads(self, phi: Array) -> Spreads:
        """On their natural scale."""
        free = dict.fromkeys(Spreads._fields, 0.0)
        for name, value in zip(self.spread_names, phi[self.n_fixed :], strict=True):
            free[name] = float(np.tanh(value) if name == "correlation" else np.exp(value))
        return Spreads(**free)

    def spread_slopes(self, phi: Array) -> Array:
        """d spread / d phi of each free spread, for the delta method."""
        values = self.spreads(phi)._asdict()
        return np.array([1 - values[n] ** 2 if n == "correlation" else values[n] for n in self.spread_names])

    def prior_moments(self, priors: GrowthPriors) -> tuple[Array, Array]:
        """Means and standard deviations of the normal prior of phi, (P,) each."""
        fixed = [priors.level] * self.n_level + [priors.slope] * self.n_slope
        each = fixed + [priors.of_spread(name) for name in self.spread_names]
        return np.array([prior.mean for prior in each]), np.array([prior.sd for prior in each])


class WeekPrior(NamedTuple):
    """θ of the weeks without its mean is `factor` z, z standard normal (D,): columns of the line, then of the walk."""

    factor: Array  # (W, D)
    line: Array  # (2, 2) lower triangle: (u_0, u_1) = line z[:2]
    topic_sd: float
    derivatives: Array  # (S, W, D) of the factor, by the free spreads but the topics', in the order of phi


def week_prior(model: GrowthModel, phi: Array, basis: Array, gaps: Array) -> WeekPrior:
    """Factor for weeks with `basis` (W,), the weeks from now (0 for now, negative before), and their `gaps` (W, W).

    `gaps` is `walk_factor` of the weeks.
    """
    s = model.spreads(phi)
    rest = np.sqrt(1 - s.correlation**2)
    line = np.array([[s.level_sd, 0.0], [s.correlation * s.slope_sd, s.slope_sd * rest]])
    ones, nothing = np.ones_like(basis), np.zeros_like(basis)
    columns = np.stack([ones * line[0, 0] + basis * line[1, 0], basis * line[1, 1]], axis=1)
    by_name = {
        "level_sd": np.stack([ones * s.level_sd, nothing], axis=1),
        "slope_sd": np.outer(basis, line[1]),
        "correlation": np.outer(basis, s.slope_sd * rest * np.array([rest, -s.correlation])),
    }
    d_columns = [by_name[name] for name in model.spread_names if name in by_name]
    if not model.walk:
        return WeekPrior(columns, line, s.topic_sd, np.array(d_columns))
    walk = s.walk_sd * gaps
    derivatives = [np.hstack([d, np.zeros_like(gaps)]) for d in d_columns]
    derivatives.append(np.hstack([np.zeros_like(columns), walk]))
    return WeekPrior(np.hstack([columns, walk]), line, s.topic_sd, np.array(derivatives))


def walk_factor(weeks: Array) -> Array:
    """(W, W) factor of a walk of variance 1 a week that is 0 now, of covariance min(|s|, |t|); `weeks` <= 0."""
    distance = -weeks
    order = np.argsort(distance)
    step = np.sqrt(np.diff(distance[order], prepend=0.0))
    out = np.zeros((weeks.size, weeks.size))
    out[order] = np.tril(np.broadcast_to(step, out.shape))
    return out
