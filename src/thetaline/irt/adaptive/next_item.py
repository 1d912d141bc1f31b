"""The next item for one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thetaline.errors import InputError
from thetaline.irt._arguments import check_kinds, generator
from thetaline.irt._types import Array, Index, Mask, short_repr
from thetaline.irt.adaptive.content import ContentLimits
from thetaline.irt.adaptive.criteria import Criterion, criterion_named, maximum_information
from thetaline.irt.adaptive.exposure import Best, Exposure, Pick
from thetaline.irt.adaptive.posterior import Posterior
from thetaline.irt.items import Items


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class NextItem:
    """The item to ask, and all that might have been: `ranked` ids with their `values`, best first."""

    id: Any
    value: float
    ranked: Any  # (J,)
    values: Array  # (J,)


def next_item(
    items: Items,
    theta: float | None = None,
    *,
    posterior: tuple[ArrayLike, ArrayLike] | None = None,
    administered: Iterable[Any] = (),
    method: str = "maximum-information",
    exposure: Exposure | None = None,
    content: ContentLimits | None = None,
    rng: np.random.Generator | int | None = None,
) -> NextItem | None:
    """Choose the next item at ability `theta` or for a `posterior`, (mean, sd) or (nodes, weights); None: nothing left.

    `method` is "maximum-information" (at theta or the posterior's mean) or "posterior-weighted".  `exposure` is
    `Randomesque` or `SympsonHetter` and needs `rng`; `content` are `ContentLimits`.  Raises InputError for arguments
    that do not fit and for limits that the bank cannot serve, or no longer after `administered`; ItemsError for
    administered items that the bank lacks.
    """
    check_kinds(items=(items, Items))
    draws = np.random.default_rng(0) if rng is None else generator(rng)
    if (theta is None) == (posterior is None):
        raise InputError("give theta or posterior, one of them")
    if theta is not None and method == "posterior-weighted":
        raise InputError("posterior-weighted selection needs the posterior")
    if exposure is not None and rng is None:
        raise InputError("exposure control draws: give rng")
    known = Posterior.given(posterior) if posterior is not None else _certain(theta)
    selection = Selection(criterion_named(method), exposure or Best(), content)
    asked = np.zeros((1, len(items)), dtype=bool)
    asked[0, items.positions(administered)] = True
    if content is not None:
        content.check_served(items, asked)
    values = selection.values(items, known, Unavailable(asked, np.zeros_like(asked)))
    chosen = int(selection.exposure.pick(items, values, draws).chosen[0])
    if chosen < 0:
        return None
    order = np.argsort(-values[0], kind="stable")[: np.count_nonzero(np.isfinite(values[0]))]
    return NextItem(items.ids[chosen], float(values[0, chosen]), items.ids[order], values[0, order])


def _certain(theta: float | None) -> Posterior:
    if theta is None or not np.isfinite(theta):
        raise InputError(f"theta must be a finite number, not {theta}")
    return Posterior(np.array([float(theta)]), np.ones((1, 1)))


class Unavailable(NamedTuple):
    """Items that are out for a person, (N, I) each: asked already, or held back by exposure control."""

    asked: Mask
    closed: Mask

    def of(self, who: Index) -> Unavailable:
        """Those of some persons."""
        return Unavailable(self.asked[who], self.closed[who])


@dataclass(frozen=True, slots=True)
class Selection:
    """How the next item is chosen."""

    criterion: Criterion = maximum_information
    exposure: Exposure = field(default_factory=Best)
    content: ContentLimits | None = None

    def values(self, items: Items, posterior: Posterior, out: Unavailable) -> Array:
        """(N, I): worth of each item now, −inf where it is out or its area is full.

        Items that exposure control held back come back where nothing else is left: a test is not cut short by it, nor
        does it miss a minimum.
        """
        may = ~out.asked
        if self.content is not None:
            may &= self.content.eligible(items, out.asked)
        first_choice = may & ~out.closed
        may = np.where(first_choice.any(axis=1, keepdims=True), first_choice, may)
        return np.where(may, self.criterion(items, posterior), -np.inf)

    def pick(self, items: Items, posterior: Posterior, out: Unavailable, rng: np.random.Generator) -> Pick:
        """Choose for every person."""
        return self.exposure.pick(items, self.values(items, posterior, out), rng)
