"""Put a new calibration on the scale of a bank: θ_reference = A θ_new + B."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thetaline.errors import InputError, ItemsError
from thetaline.irt._arguments import check_kinds, check_number
from thetaline.irt._scipy import special
from thetaline.irt._types import Mask
from thetaline.irt.covariance import ItemCovariance, refuse_foreign
from thetaline.irt.items import Items, refuse_positions
from thetaline.irt.linking.agreement import Covariances, correlation, disagreement
from thetaline.irt.linking.anchors import Anchors, common_items, opposite_slopes, usable
from thetaline.irt.linking.characteristic_curves import Haebara, StockingLord
from thetaline.irt.linking.diagnostics import diagnose
from thetaline.irt.linking.method import Constants, Criterion, LinkMethod, LinkSolution, LinkWeights
from thetaline.irt.linking.moments import MeanGeometricMean, MeanMean, MeanSigma
from thetaline.irt.linking.result import Link
from thetaline.irt.linking.screening import DEFAULT_THRESHOLD, MIN_ANCHORS, Screening, anchor_errors, screened
from thetaline.irt.linking.standard_errors import LinkErrors, delta, jackknife, unknown_errors

SIGNIFICANCE = 0.05
BY_POSITION_ADVICE = "Responses.from_matrix(x, items=...), or a data frame; or say by_position=True"
UNLINKED = Constants(1.0, 0.0)


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How to link: what a caller of `link` chose, parsed."""

    method: LinkMethod
    criterion: Criterion
    threshold: float  # infinite: no screening
    covariances: dict[str, ItemCovariance | None]


def link(  # noqa: PLR0913  (keyword-only options)
    *,
    new: Items,
    reference: Items,
    method: str = "stocking-lord",
    screen: bool = True,
    threshold: float = DEFAULT_THRESHOLD,
    weights: LinkWeights | None = None,
    symmetric: bool = False,
    new_covariance: ItemCovariance | Items | None = None,
    reference_covariance: ItemCovariance | Items | None = None,
    by_position: bool = False,
) -> Link:
    """Put `new` on the scale of `reference` through the items that both have: θ_reference = A θ_new + B.

    `method` is "stocking-lord" (Stocking & Lord, 1983), "haebara" (Haebara, 1980; categories: Kim & Lee, 2006),
    "mean-sigma" (Marco, 1977), "mean-mean" (Loyd & Hoover, 1980) or "mean-gmean" (Mislevy & Bock, 1990).  Rasch and PCM
    slopes are set and not estimated: every method but mean/sigma then estimates B alone.  `screen` leaves out anchors
    whose robust z of b or log a is beyond `threshold` (few anchors: somewhat more; Huynh & Meyer, 2010), the worst
    first.  `weights` (Q nodes, default N(0, 1) on 61 of the reference's scale) and `symmetric` (the same criterion on
    the new scale too, so that exchanging the forms inverts the link) are of the two curve methods.  The covariances are
    those of `fit.covariance()` or `Items` of standard errors: with either, the errors of A and B are by the delta
    method (Ogasawara, 2001) and a scale without one is taken as known; without both, by a jackknife over the anchors.

    Items whose ids are only positions, of matrices without names, are the same items only where `by_position` says so.

    What is no link says `linked` False and why, and moves nothing: fewer than 3 usable anchors, anchors that run the
    other way (A ≤ 0), of which half or more were left out, or whose curves lie apart by more than their errors explain.

    Raises ItemsError where no item is common, for an unknown method, for a covariance of other items; InputError for
    other arguments.
    """
    check_kinds(new=(new, Items), reference=(reference, Items))
    check_number("threshold", threshold)
    if not threshold > 0:
        raise InputError(f"the threshold is a robust z above 0, not {threshold}; screen=False drops no anchor")
    if new.by_position and reference.by_position and not by_position:
        refuse_positions("new", "reference", BY_POSITION_ADVICE)
    refuse_foreign(new, new_covariance, "new_covariance")
    refuse_foreign(reference, reference_covariance, "reference_covariance")
    options = LinkOptions(
        method=method_named(method),
        criterion=Criterion(weights or LinkWeights.normal(), symmetric),
        threshold=threshold if screen else np.inf,
        covariances={"new": _covariance(new_covariance), "reference": _covariance(reference_covariance)},
    )
    return _linked(common_items(new, reference), options)


def _linked(common: Anchors, options: LinkOptions) -> Link:
    fine, dropped = usable(common)
    if fine.n < MIN_ANCHORS:
        reason = opposite_slopes(common) or (
            f"{fine.n} usable anchors of {common.n} common items, {MIN_ANCHORS} are needed"
        )
        return _link(_Outcome(fine, dropped, reason=reason), options)
    reason = reversed_difficulties(fine)
    if reason:
        return _link(_Outcome(fine, dropped, reason=reason), options)
    screening = Screening(options.method, options.criterion, options.threshold)
    kept, at, drifted = screened(fine, anchor_errors(fine, options.covariances), screening)
    reason = (
        at.failure or _few_agree(kept, fine, at, options.covariances) or disagreement(kept, at, options.covariances)
    )
    solution = LinkSolution(kept, options.method, options.criterion, at)
    return _link(_Outcome(fine, dropped | drifted, solution, reason), options)


def _few_agree(kept: Anchors, fine: Anchors, at: Constants, covariances: Covariances) -> str:
    """Say where no more than half of the anchors agree with each other, and the rest with something else."""
    if 2 * kept.n > fine.n or not disagreement(fine, at, covariances):
        return ""
    return f"only {kept.n} of {fine.n} usable anchors agree on a scale; more than half must"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Anchors that could have been used, why others and some of these were not, what was found, why it is no link."""

    anchors: Anchors
    dropped: dict[Any, str]
    solution: LinkSolution | None = None
    reason: str = ""

    @property
    def linked(self) -> bool:
        return not self.reason

    @property
    def used(self) -> Mask:
        return np.array([self.linked and item not in self.dropped for item in self.anchors.ids.tolist()], dtype=bool)


def _link(outcome: _Outcome, options: LinkOptions) -> Link:
    found = outcome.solution.at if outcome.solution and not outcome.solution.at.failure else UNLINKED
    at = found if outcome.linked else UNLINKED
    anchors, used = outcome.anchors, outcome.used
    diagnostics = diagnose(anchors, used, found, options.criterion.weights) if anchors.n else None
    return Link(
        A=at.A,
        B=at.B,
        method=options.method.name,
        linked=outcome.linked,
        reason=outcome.reason,
        n_anchors_used=int(used.sum()),
        n_common=len(set(anchors.ids.tolist()) | set(outcome.dropped)),
        dropped=outcome.dropped,
        rmsd=diagnostics.rmsd if diagnostics else float("nan"),
        se=_errors(outcome.solution, options) if outcome.linked and outcome.solution else unknown_errors(),
        diagnostics=diagnostics,
    )


def reversed_difficulties(anchors: Anchors) -> str:
    """Say where the difficulties run significantly the other way: the A that they mean is negative."""
    r = correlation(anchors)
    if not r < 0.0:
        return ""
    t = r * np.sqrt((anchors.n - 2) / max(1.0 - r * r, np.finfo(float).eps))
    if special.stdtr(anchors.n - 2, t) >= SIGNIFICANCE:
        return ""
    return (
        f"the difficulties of the {anchors.n} anchors run the other way (correlation {r:.2f}), so that A would be "
        "negative; is one of the scales reversed?"
    )


def _errors(solution: LinkSolution, options: LinkOptions) -> LinkErrors:
    if any(options.covariances.values()):
        return delta(solution, options.covariances)
    return jackknife(solution)


def _covariance(given: ItemCovariance | Items | None) -> ItemCovariance | None:
    return ItemCovariance.from_errors(given) if isinstance(given, Items) else given


METHODS: dict[str, LinkMethod] = {
    method.name: method for method in (StockingLord(), Haebara(), MeanSigma(), MeanMean(), MeanGeometricMean())
}


def method_named(name: str) -> LinkMethod:
    """The method of that name; raises ItemsError with the names that are known."""
    if name not in METHODS:
        raise ItemsError(f"unknown link method {name!r}; known are {', '.join(METHODS)}")
    return METHODS[name]
