"""Links over several forms: along a chain, and averaged over several chains, with standard errors by the delta method.

Neighbouring links of a chain share the form between them, so that their errors go together: the derivatives by the
parameters of every form are kept apart until all links are combined (Battauz, 2013).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import check_kinds
from thetaline.irt._types import Array, short_repr
from thetaline.irt.covariance import ItemCovariance, refuse_foreign
from thetaline.irt.items import Items
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.link import link, method_named
from thetaline.irt.linking.method import Constants, Criterion, LinkWeights
from thetaline.irt.linking.result import Link
from thetaline.irt.linking.standard_errors import LinkErrors, derivatives_by_entry, unknown_errors


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ChainLink:
    """θ_last = A θ_first + B along `path`; `links` are its steps (of an average: none).

    A chain with a step that is no link moves nothing: its methods raise ItemsError with the reason.
    """

    A: float
    B: float
    path: tuple[Any, ...]
    se: LinkErrors
    links: tuple[Link, ...]
    derivatives: Mapping[Any, Array]  # form: ∂(A, B) / ∂(entries of its covariance), (2, P)
    covariances: Mapping[Any, Array]  # form: (P, P)

    @property
    def linked(self) -> bool:
        """Whether every step is linked."""
        return all(step.linked for step in self.links)

    def check_linked(self) -> None:
        """Raise ItemsError with the reason of the first step that is no link."""
        for step in self.links:
            step.check_linked()

    def theta(self, theta: Any) -> Array:
        """Abilities of the first form's scale on the last form's scale."""
        self.check_linked()
        return np.asarray(self.A * np.asarray(theta, dtype=np.float64) + self.B)

    def items(self, items: Items) -> Items:
        """Items of the first form's scale on the last form's scale."""
        self.check_linked()
        return items.rescaled(self.A, self.B)


def link_chain(
    forms: Mapping[Any, Items],
    path: Sequence[Any],
    *,
    covariances: Mapping[Any, ItemCovariance] | None = None,
    method: str = "stocking-lord",
    screen: bool = True,
    weights: LinkWeights | None = None,
    symmetric: bool = False,
    by_position: bool = False,
) -> ChainLink:
    """Link the first form of `path` to the last through those between: A = Π A, B by substitution.

    With `covariances` of the forms the standard errors are by the delta method over all of them; a form without one is
    taken as known; without any they are unknown.  Raises InputError for a path of unknown forms or of less than two,
    ItemsError as `link` does.
    """
    unknown = [form for form in path if form not in forms]
    if unknown or len(path) < 2:
        raise InputError(f"a path needs two or more of the forms {list(forms)}, not {list(path)}")
    check_kinds(**{f"form {form!r}": (forms[form], Items) for form in path})
    known = covariances or {}
    for form in path:
        refuse_foreign(forms[form], known.get(form), f"the covariance of form {form!r}")
    chain = _nowhere(path[0])
    for start, end in pairwise(path):
        step = link(
            new=forms[start],
            reference=forms[end],
            method=method,
            screen=screen,
            weights=weights,
            symmetric=symmetric,
            by_position=by_position,
        )
        criterion = Criterion(weights or LinkWeights.normal(), symmetric)
        sides = {start: ("new", forms[start]), end: ("reference", forms[end])}
        slopes = _step_derivatives(step, criterion, sides, known)
        chain = _extended(chain, step, end, slopes)
    return _with_errors(chain, {form: known[form].matrix for form in chain.derivatives})


def average_links(links: Sequence[ChainLink]) -> ChainLink:
    """Angle bisector of several links between the same two forms (Holland & Strawderman, 2011).

    A and B are means weighted by (1 + A²)^−½: the bisector of the lines θ' = A θ + B, the same whichever of the two
    scales is called first.  Raises InputError for links whose paths do not start and end alike, ItemsError for one with
    a step that is no link.
    """
    check_kinds(**{f"link {number}": (one, ChainLink) for number, one in enumerate(links, 1)})
    for one in links:
        one.check_linked()
    ends = {(one.path[0], one.path[-1]) for one in links}
    if len(ends) != 1:
        raise InputError(f"links between the same two forms are averaged, not {sorted(map(str, ends))}")
    A, B = np.array([one.A for one in links]), np.array([one.B for one in links])
    weight = (1.0 + A**2) ** -0.5
    mean_A, mean_B = float(weight @ A / weight.sum()), float(weight @ B / weight.sum())
    by_A = -A * (1.0 + A**2) ** -1.5 / weight.sum()  # of a link's own weight
    jacobians = [
        np.array([[w / weight.sum() + s * (a - mean_A), 0.0], [s * (b - mean_B), w / weight.sum()]])
        for w, s, a, b in zip(weight, by_A, A, B, strict=True)
    ]
    derivatives: dict[Any, Array] = {}
    for one, jacobian in zip(links, jacobians, strict=True):
        derivatives = _added(derivatives, {form: jacobian @ slopes for form, slopes in one.derivatives.items()})
    covariances = {form: matrix for one in links for form, matrix in one.covariances.items()}
    first = links[0]
    average = replace(
        first, A=mean_A, B=mean_B, path=(first.path[0], first.path[-1]), links=(), derivatives=derivatives
    )
    return _with_errors(average, covariances)


def _nowhere(form: Any) -> ChainLink:
    return ChainLink(1.0, 0.0, (form,), unknown_errors(), (), {}, {})


def _step_derivatives(
    step: Link, criterion: Criterion, sides: Mapping[Any, tuple[str, Items]], known: Mapping[Any, ItemCovariance]
) -> dict[Any, Array]:
    """∂(A, B) of one link by the covariance entries of its two forms."""
    if not step.linked or not any(form in known for form in sides):
        return {}
    scales = {side: items.take(step.anchor_ids) for side, items in sides.values()}
    anchors = Anchors(scales["new"], scales["reference"])
    at = Constants(step.A, step.B)
    sensitivity = method_named(step.method).sensitivity(anchors, criterion, at)._asdict()
    return {
        form: derivatives_by_entry(anchors.ids, sensitivity[side], known[form])
        for form, (side, _) in sides.items()
        if form in known
    }


def _extended(chain: ChainLink, step: Link, end: Any, slopes: Mapping[Any, Array]) -> ChainLink:
    """A = A_step A_chain, B = A_step B_chain + B_step."""
    by_chain = np.array([[step.A, 0.0], [0.0, step.A]])
    by_step = np.array([[chain.A, 0.0], [chain.B, 1.0]])
    before = {form: by_chain @ own for form, own in chain.derivatives.items()}
    derivatives = _added(before, {form: by_step @ own for form, own in slopes.items()})
    return replace(
        chain,
        A=step.A * chain.A,
        B=step.A * chain.B + step.B,
        path=(*chain.path, end),
        links=(*chain.links, step),
        derivatives=derivatives,
    )


def _added(some: Mapping[Any, Array], more: Mapping[Any, Array]) -> dict[Any, Array]:
    both = {form: some[form] + more[form] for form in some.keys() & more.keys()}
    return {**some, **more, **both}


def _with_errors(chain: ChainLink, covariances: Mapping[Any, Array]) -> ChainLink:
    if not chain.derivatives:
        return chain
    total = sum(D @ covariances[form] @ D.T for form, D in chain.derivatives.items())
    return replace(chain, se=LinkErrors.of(np.asarray(total), "delta"), covariances=covariances)
