"""Prior densities on the published parameters, and their sum as a penalty on the log-likelihood.

Each density is taken at the published value, without a Jacobian to the free parameters, as mirt's `parprior` does; the
estimate is then the mode on the published scale.  Constants are left out of `log_density`.
"""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Protocol

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._types import Array
from thetaline.irt.families.logit import logit


class Prior(Protocol):
    """A univariate density, up to a constant."""

    def log_density(self, x: Array) -> Array:
        """Return the log density, -inf outside its support."""

    def slope(self, x: Array) -> Array:
        """Return the derivative of `log_density`."""

    def curvature(self, x: Array) -> Array:
        """Return a positive stand-in for minus the second derivative, for Newton steps that must go uphill."""

    @property
    def mode(self) -> float:
        """Where the density is highest."""


@dataclass(frozen=True, slots=True)
class Normal:
    """N(mean, sd^2)."""

    mean: float = 0.0
    sd: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no density."""
        _check_spread("Normal", self.mean, self.sd)

    def log_density(self, x: Array) -> Array:
        """-((x - mean) / sd)^2 / 2."""
        return -0.5 * ((x - self.mean) / self.sd) ** 2

    def slope(self, x: Array) -> Array:
        """Derivative of the log density."""
        return (self.mean - x) / self.sd**2

    def curvature(self, x: Array) -> Array:
        """1 / sd^2."""
        return np.full_like(x, self.sd**-2)

    @property
    def mode(self) -> float:
        """The mean."""
        return self.mean


@dataclass(frozen=True, slots=True)
class LogNormal:
    """log x ~ N(mean_log, sd_log^2); x > 0."""

    mean_log: float = 0.0
    sd_log: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what is no density."""
        _check_spread("LogNormal", self.mean_log, self.sd_log)

    def log_density(self, x: Array) -> Array:
        """-log x - ((log x - mean_log) / sd_log)^2 / 2, -inf for x <= 0."""
        log_x = np.log(np.where(x > 0, x, 1.0))
        inside = -log_x - 0.5 * ((log_x - self.mean_log) / self.sd_log) ** 2
        return np.where(x > 0, inside, -np.inf)

    def slope(self, x: Array) -> Array:
        """Derivative of the log density."""
        safe = np.where(x > 0, x, 1.0)
        return -(1.0 + (np.log(safe) - self.mean_log) / self.sd_log**2) / safe

    def curvature(self, x: Array) -> Array:
        """1 / (sd_log x)^2, the curvature on the log scale."""
        return (self.sd_log * np.where(x > 0, x, 1.0)) ** -2.0

    @property
    def mode(self) -> float:
        """exp(mean_log - sd_log^2)."""
        return math.exp(self.mean_log - self.sd_log**2)


@dataclass(frozen=True, slots=True)
class Beta:
    """Density proportional to x^(alpha - 1) (1 - x)^(beta - 1) on (0, 1)."""

    alpha: float = 5.0
    beta: float = 17.0

    def __post_init__(self) -> None:
        """Refuse what has no mode within (0, 1)."""
        if not all(isinstance(value, Real) for value in (self.alpha, self.beta)):
            raise InputError(f"Beta needs two numbers, not {self.alpha!r} and {self.beta!r}")
        if not (self.alpha > 1 and self.beta > 1 and math.isfinite(self.alpha + self.beta)):
            raise InputError(f"Beta needs alpha and beta above 1, not {self.alpha} and {self.beta}")

    def log_density(self, x: Array) -> Array:
        """(alpha - 1) log x + (beta - 1) log(1 - x)."""
        with np.errstate(divide="ignore"):
            return (self.alpha - 1) * np.log(x) + (self.beta - 1) * np.log1p(-x)

    def slope(self, x: Array) -> Array:
        """Derivative of the log density."""
        return (self.alpha - 1) / x - (self.beta - 1) / (1 - x)

    def curvature(self, x: Array) -> Array:
        """Minus the second derivative."""
        return (self.alpha - 1) / x**2 + (self.beta - 1) / (1 - x) ** 2

    @property
    def mode(self) -> float:
        """(alpha - 1) / (alpha + beta - 2)."""
        return (self.alpha - 1) / (self.alpha + self.beta - 2)


@dataclass(frozen=True, slots=True)
class LogitNormal:
    """A normal density of log(x / (1 - x)), taken on that scale: the mode of x is at logit x = mean."""

    mean: float = -1.39
    sd: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what is no density."""
        _check_spread("LogitNormal", self.mean, self.sd)

    def log_density(self, x: Array) -> Array:
        """-((logit x - mean) / sd)^2 / 2."""
        return -0.5 * ((logit(x) - self.mean) / self.sd) ** 2

    def slope(self, x: Array) -> Array:
        """Derivative of the log density in x."""
        return (self.mean - logit(x)) / self.sd**2 / (x * (1 - x))

    def curvature(self, x: Array) -> Array:
        """1 / sd^2 on the logit scale, carried to x."""
        return self.sd**-2 / (x * (1 - x)) ** 2

    @property
    def mode(self) -> float:
        """1 / (1 + exp(-mean))."""
        return 1.0 / (1.0 + math.exp(-self.mean))


@dataclass(frozen=True, slots=True)
class Priors:
    """One density a parameter, the same for all items; None = flat.  `b` acts on every threshold of an item.

    A shared slope (1PL) meets its prior once; Rasch and PCM have no slope to restrain.
    """

    a: Prior | None = None
    b: Prior | None = None
    c: Prior | None = None
    d: Prior | None = None

    def __post_init__(self) -> None:
        """Refuse what is no density."""
        for name, prior in (("a", self.a), ("b", self.b), ("c", self.c), ("d", self.d)):
            if not (prior is None or all(hasattr(prior, part) for part in ("log_density", "slope", "curvature"))):
                raise InputError(f"the prior on {name} must be a density such as Normal(0, 2), not {prior!r}")

    @property
    def flat(self) -> bool:
        """Whether nothing is restrained."""
        return self.a is None and self.b is None and self.c is None and self.d is None


def _check_spread(name: str, centre: float, spread: float) -> None:
    if not all(isinstance(value, Real) for value in (centre, spread)):
        raise InputError(f"{name} needs two numbers, not {centre!r} and {spread!r}")
    if not (math.isfinite(centre) and math.isfinite(spread) and spread > 0):
        raise InputError(f"{name} needs a finite centre and a spread above 0, not {centre} and {spread}")
