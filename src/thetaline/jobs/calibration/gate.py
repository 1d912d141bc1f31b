"""The publication gate: what a calibration must show before it becomes the current one. Values in, values out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from thetaline.settings import Settings

Vector = NDArray[np.float64]
ItemIds = NDArray[np.object_]

# Below this a correlation says more about which items are shared than about the scale.
MIN_SHARED_ITEMS = 10


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One line of the gate's table: what was looked at, what it was, what it had to be."""

    name: str
    passed: bool
    value: float | None
    limit: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """The limits of the gate; each is a setting MIRT_GATE_…."""

    min_items: int
    min_users: int
    a_min: float
    a_max: float
    b_max: float
    min_anchors: int
    max_rmsd: float
    min_correlation_a: float
    min_correlation_b: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits in force."""
        return cls(
            min_items=settings.mirt_gate_min_items,
            min_users=settings.mirt_gate_min_users,
            a_min=settings.mirt_gate_a_min,
            a_max=settings.mirt_gate_a_max,
            b_max=settings.mirt_gate_b_max,
            min_anchors=settings.mirt_gate_min_anchors,
            max_rmsd=settings.mirt_gate_max_rmsd,
            min_correlation_a=settings.mirt_gate_min_correlation_a,
            min_correlation_b=settings.mirt_gate_min_correlation_b,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The parameters published last: (I,) each, and the newest run among those that made them."""

    run_id: str
    item_ids: ItemIds
    a: Vector
    b: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What the gate looks at: parameters (I,) on the scale on which they would be published."""

    status: str
    converged: bool
    n_users: int
    item_ids: ItemIds
    a: Vector
    b: Vector
    n_anchors_tagged: int
    n_anchors_used: int
    linked: bool
    rmsd: float | None
    link_message: str = ""
    published: Reference | None = None


Check = Callable[[Evidence, GateLimits], GateCheck]


def judge(evidence: Evidence, limits: GateLimits) -> tuple[GateCheck, ...]:
    """Every check in the order of the table; none is skipped because another failed."""
    return tuple(check(evidence, limits) for check in CHECKS)


def failures(checks: tuple[GateCheck, ...]) -> tuple[str, ...]:
    """The messages of the checks that hold a run back; empty when it may be published."""
    return tuple(check.message for check in checks if not check.passed)


def check_converged(evidence: Evidence, _limits: GateLimits) -> GateCheck:
    """The fit ended because nothing moved any more, not because it ran out of cycles or broke."""
    return GateCheck("converged", evidence.converged, None, "converged", f"the fit ended as: {evidence.status}")


def check_items(evidence: Evidence, limits: GateLimits) -> GateCheck:
    """Enough items carry the scale."""
    return _at_least("items", evidence.item_ids.size, limits.min_items, "calibrated items")


def check_users(evidence: Evidence, limits: GateLimits) -> GateCheck:
    """Enough learners carry the scale."""
    return _at_least("users", evidence.n_users, limits.min_users, "learners")


def check_parameters(evidence: Evidence, limits: GateLimits) -> GateCheck:
    """No discrimination or difficulty that no item of a real test has; the value is how many have."""
    inside = (evidence.a >= limits.a_min) & (evidence.a <= limits.a_max) & (np.abs(evidence.b) <= limits.b_max)
    limit = f"{limits.a_min:g} <= a <= {limits.a_max:g}, |b| <= {limits.b_max:g}"
    absurd = np.flatnonzero(~inside)
    named = ", ".join(f"{evidence.item_ids[i]} (a {evidence.a[i]:.3g}, b {evidence.b[i]:.3g})" for i in absurd[:5])
    message = f"{absurd.size} items outside {limit}: {named}" if absurd.size else f"every item inside {limit}"
    return GateCheck("parameters", not absurd.size, float(absurd.size), limit, message)


def check_linked(evidence: Evidence, limits: GateLimits) -> GateCheck:
    """A scale that others rely on is only followed by one that is tied to it."""
    limit = f"linked by >= {limits.min_anchors} anchors once anchors are tagged or a run is published"
    value = float(evidence.n_anchors_used)
    if evidence.linked and evidence.n_anchors_used >= limits.min_anchors:
        message = f"linked by {evidence.n_anchors_used} of {evidence.n_anchors_tagged} anchors"
        return GateCheck("linked", True, value, limit, message)
    if evidence.n_anchors_tagged == 0 and evidence.published is None:
        return GateCheck("linked", True, None, limit, "no anchors and no published run: this run sets the scale")
    return GateCheck("linked", False, value, limit, _why_not_linked(evidence, limits))


def check_link_rmsd(evidence: Evidence, limits: GateLimits) -> GateCheck:
    """The anchors left agree with their references after the linking, in units of difficulty."""
    limit = f"<= {limits.max_rmsd:g}"
    if not evidence.linked or evidence.rmsd is None:
        return GateCheck("link_rmsd", True, None, limit, "not linked: nothing to compare")
    passed = bool(evidence.rmsd <= limits.max_rmsd)
    return GateCheck("link_rmsd", passed, evidence.rmsd, limit, f"anchors' b differ by {evidence.rmsd:.3f} (RMSD)")


def check_correlation_b(evidence: Evidence, limits: GateLimits) -> GateCheck:
    """Items keep their order of difficulty from the published parameters to these."""
    return _correlation("b", evidence, limits.min_correlation_b)


def check_correlation_a(evidence: Evidence, limits: GateLimits) -> GateCheck:
    """Items keep their order of discrimination, as far as thin data can tell."""
    return _correlation("a", evidence, limits.min_correlation_a)


CHECKS: tuple[Check, ...] = (
    check_converged,
    check_items,
    check_users,
    check_parameters,
    check_linked,
    check_link_rmsd,
    check_correlation_b,
    check_correlation_a,
)


def _at_least(name: str, value: int, least: int, what: str) -> GateCheck:
    message = f"{value} {what}, at least {least} needed" if value < least else f"{value} {what}"
    return GateCheck(name, value >= least, float(value), f">= {least}", message)


def _why_not_linked(evidence: Evidence, limits: GateLimits) -> str:
    if evidence.n_anchors_tagged == 0 and evidence.published is not None:
        return f"no anchors: nothing ties this scale to that of {evidence.published.run_id}; run `thetaline tag`"
    detail = f" ({evidence.link_message})" if evidence.link_message else ""
    used, tagged = evidence.n_anchors_used, evidence.n_anchors_tagged
    return f"only {used} of {tagged} tagged anchors could be used, {limits.min_anchors} needed{detail}"


def _correlation(name: str, evidence: Evidence, least: float) -> GateCheck:
    check, limit = f"correlation_{name}", f">= {least:g}"
    if evidence.published is None:
        return GateCheck(check, True, None, limit, "no published run: nothing to compare")
    _, here, there = np.intersect1d(
        evidence.item_ids.astype(str), evidence.published.item_ids.astype(str), return_indices=True
    )
    if here.size < MIN_SHARED_ITEMS:
        return GateCheck(check, True, None, limit, f"{here.size} items in common, {MIN_SHARED_ITEMS} needed to compare")
    new, old = getattr(evidence, name)[here], getattr(evidence.published, name)[there]
    if min(np.ptp(new), np.ptp(old)) == 0:
        return GateCheck(check, True, None, limit, f"one {name} for all items: nothing to compare")
    value = float(np.corrcoef(new, old)[0, 1])
    message = f"{name} of {here.size} shared items correlates {value:.3f} with the published parameters"
    return GateCheck(check, bool(value >= least), value, limit, message)
