"""A link as a value: the constants, how well the anchors bear them out, and what can be moved with them."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from thetaline.errors import InputError, ItemsError
from thetaline.irt._types import Array, short_repr
from thetaline.irt.items import Items
from thetaline.irt.linking.diagnostics import LinkDiagnostics
from thetaline.irt.linking.method import Constants
from thetaline.irt.linking.standard_errors import LinkErrors


class Rescalable(Protocol):
    """Anything on the θ scale that knows how to move: items, scores."""

    def rescaled(self, A: float, B: float) -> Self:
        """The same on the scale A θ + B."""
        ...


Moved = TypeVar("Moved", bound=Rescalable)


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """θ_reference = A θ_new + B, and how well the anchors bear it out.

    Where `linked` is False, `reason` says why: A = 1, B = 0, nothing can be moved, and the `diagnostics` are those of
    the constants that were found, if any were.  What moves anything raises ItemsError with the reason then.
    """

    A: float
    B: float
    method: str
    linked: bool
    reason: str  # empty where linked
    n_anchors_used: int
    n_common: int
    dropped: dict[Any, str]  # id of a common item that was not used: why
    rmsd: float  # root mean square of the used anchors' residuals of b, logits of the reference scale
    se: LinkErrors
    diagnostics: LinkDiagnostics | None  # None where no common item is usable

    def check_linked(self) -> None:
        """Raise ItemsError with the reason where this is no link."""
        if not self.linked:
            raise ItemsError(
                f"not linked: {self.reason}; nothing of the new scale has a place on the reference's, and the other way"
            )

    @property
    def anchor_ids(self) -> Any:
        """Ids of the anchors used, in the order of the new items; raises InputError for a link without diagnostics."""
        if self.diagnostics is None:
            raise InputError("this link has no diagnostics that tell its anchors")
        return self.diagnostics.ids[self.diagnostics.used]

    def theta(self, theta: Any) -> Array:
        """Abilities of the new scale on the reference scale."""
        self.check_linked()
        return np.asarray(self.A * np.asarray(theta, dtype=np.float64) + self.B)

    def items(self, items: Items) -> Items:
        """Items of the new scale on the reference scale: a / A, A b + B, c and d as they are."""
        self.check_linked()
        return items.rescaled(self.A, self.B)

    def scores(self, scores: Moved) -> Moved:
        """Scores of the new scale on the reference scale: A θ + B, A se."""
        self.check_linked()
        return scores.rescaled(self.A, self.B)

    def inverse(self) -> "Link":
        """From the reference scale to the new one: 1 / A, −B / A; standard errors by the delta method."""
        self.check_linked()
        at = Constants(1.0 / self.A, -self.B / self.A)
        jacobian = np.array([[-(at.A**2), 0.0], [self.B * at.A**2, -at.A]])
        se = LinkErrors.of(jacobian @ self.se.covariance @ jacobian.T, self.se.method)
        return replace(self, A=at.A, B=at.B, se=se, rmsd=self.rmsd * at.A, diagnostics=None)
