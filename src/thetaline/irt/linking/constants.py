"""What a link method answers, and the contract that each method file keeps."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from thetaline.irt._types import Array, Mask
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.weights import LinkWeights


class Constants(NamedTuple):
    """θ_reference = A θ_new + B; `trouble` says why a minimiser's answer must not be used."""

    A: float
    B: float
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a characteristic curve method minimises over: nodes with weights, on one scale or on both."""

    weights: LinkWeights
    symmetric: bool = False


class Method(Protocol):
    """A way to find the constants; adding one is adding a file and its line in `METHODS`."""

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


class Solution(NamedTuple):
    """A link that was found: from which anchors, how, and the constants."""

    anchors: Anchors
    method: Method
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
