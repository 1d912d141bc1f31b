"""What a link method answers, and the contract that each method file keeps."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from thetaline.irt.derivatives import Array
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
