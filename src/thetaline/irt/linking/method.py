"""The contract of a link method: what it is given, what it answers."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np

from thetaline.errors import ItemsError
from thetaline.irt._types import Array, Mask, short_repr
from thetaline.irt.linking.anchors import Anchors


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class LinkWeights:
    """Nodes `theta` (Q,) and weights (Q,), ≥ 0; only the ratios of the weights matter."""

    theta: Array
    weight: Array

    def __post_init__(self) -> None:
        """Take anything array-like and refuse what cannot weight a criterion."""
        theta, weight = np.asarray(self.theta, dtype=np.float64), np.asarray(self.weight, dtype=np.float64)
        if theta.ndim != 1 or theta.shape != weight.shape or theta.size < 2:
            raise ItemsError(f"link weights: nodes {theta.shape} and weights {weight.shape} are not of one length ≥ 2")
        if not (np.isfinite(theta).all() and np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
            raise ItemsError("link weights need finite nodes and weights ≥ 0 with a positive sum")
        object.__setattr__(self, "theta", theta)
        object.__setattr__(self, "weight", weight)

    @classmethod
    def normal(cls, n: int = 61, low: float = -6.0, high: float = 6.0, *, mean: float = 0.0, sd: float = 1.0) -> Self:
        """Equally spaced nodes with normalised N(mean, sd²) weights: the curves agree where the learners are."""
        theta = np.linspace(low, high, n)
        weight = np.exp(-0.5 * ((theta - mean) / sd) ** 2)
        return cls(theta, weight / weight.sum())

    @classmethod
    def uniform(cls, n: int = 40, low: float = -4.0, high: float = 4.0) -> Self:
        """Equally spaced nodes of weight 1; 40 on [−4, 4] is what plink does by default."""
        return cls(np.linspace(low, high, n), np.ones(n))

    @classmethod
    def gauss_hermite(cls, n: int = 30) -> Self:
        """Gauss–Hermite nodes and weights of N(0, 1), as equateIRT uses them."""
        theta, weight = np.polynomial.hermite_e.hermegauss(n)
        return cls(theta, weight / weight.sum())


class Constants(NamedTuple):
    """θ_reference = A θ_new + B; `failure` says why a minimiser's answer must not be used."""

    A: float
    B: float
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a characteristic curve method minimises over: nodes with weights, on one scale or on both."""

    weights: LinkWeights
    symmetric: bool = False


class LinkMethod(Protocol):
    """A way to find the constants; adding one is adding a class and its entry in `METHODS`."""

    name: str

    def constants(self, anchors: Anchors, criterion: Criterion, start: Constants | None = None) -> Constants:
        """A and B from anchors that are all usable; `start` is a guess that an iteration may use."""
        ...

    def sensitivity(self, anchors: Anchors, criterion: Criterion, at: Constants) -> "Sensitivity":
        """Derivatives of (A, B) by the anchors' parameters."""
        ...


class Sensitivity(NamedTuple):
    """∂(A, B)/∂parameter of each scale, {"a": (2, n), "b": (2, n, K − 1), "c": (2, n), "d": (2, n)}."""

    new: dict[str, Array]
    reference: dict[str, Array]


class LinkSolution(NamedTuple):
    """A link that was found: from which anchors, how, and the constants."""

    anchors: Anchors
    method: LinkMethod
    criterion: Criterion
    at: Constants

    @property
    def sensitivity(self) -> Sensitivity:
        """Derivatives of the constants by the anchors' parameters."""
        return self.method.sensitivity(self.anchors, self.criterion, self.at)

    def without(self, out: Mask) -> Constants:
        """The constants without the anchors marked `out` (n,)."""
        left = self.anchors.keep(np.flatnonzero(~out))
        return self.method.constants(left, self.criterion, self.at)
