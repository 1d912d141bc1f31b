"""The publication gate: what a calibration must satisfy before it becomes the current one. Values in, values out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from thetaline.jobs.arrays import Array, Objects
from thetaline.jobs.calibration.engine import ItemEstimates
from thetaline.jobs.calibration.soundness import PublishedAbilities, Soundness
from thetaline.settings import Settings

# With fewer, the correlation depends more on which items are shared than on the scale.
MIN_SHARED_ITEMS = 10
MIN_SHARED_LEARNERS = 50
FEW_MOVED = 2  # items that may have moved in the smallest bank: single items are the drift check's
COMMON_ABILITY = 2.71  # one-sided 5 % of chi-square with one degree of freedom: the slope that all items share is not 0
NOTHING_TO_COMPARE = "nothing to compare"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One row of the gate's table: the check, the value found, the limit, and a sentence on both."""

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
    max_copied: float
    max_moved: float
    max_theta_shift: float
    min_correlation_theta: float

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
            max_copied=settings.mirt_gate_max_copied,
            max_moved=settings.mirt_gate_max_moved,
            max_theta_shift=settings.mirt_gate_max_theta_shift,
            min_correlation_theta=settings.mirt_gate_min_correlation_theta,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PublishedParameters:
    """The current parameters, (I,) each, and the newest of the runs that they come from."""

    run_id: str
    item_ids: Objects
    a: Array
    b: Array
    estimates: ItemEstimates | None = None  # what the answers alone said, of items under the model of this run
    abilities: PublishedAbilities | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateInput:
    """What the gate checks: parameters (I,) on the scale on which they would be published."""

    status: str
    converged: bool
    n_users: int
    item_ids: Objects
    a: Array
    b: Array
    n_anchors_tagged: int
    n_anchors_used: int
    linked: bool
    rmsd: float | None
    link_message: str = ""
    published: PublishedParameters | None = None
    soundness: Soundness | None = None


Check = Callable[[GateInput, GateLimits], CheckResult]


def check_all(run: GateInput, limits: GateLimits) -> tuple[CheckResult, ...]:
    """All checks in the order of `CHECKS`, also after one that failed."""
    return tuple(check(run, limits) for check in CHECKS)


def failures(checks: tuple[CheckResult, ...]) -> tuple[str, ...]:
    """The messages of the checks that failed; empty when the run may be published."""
    return tuple(check.message for check in checks if not check.passed)


def check_converged(run: GateInput, _limits: GateLimits) -> CheckResult:
    """The fit converged; it did not run out of cycles or fail."""
    return CheckResult("converged", run.converged, None, "converged", f"the fit ended as: {run.status}")


def check_items(run: GateInput, limits: GateLimits) -> CheckResult:
    """There are enough items."""
    return _at_least("items", run.item_ids.size, limits.min_items, "calibrated items")


def check_users(run: GateInput, limits: GateLimits) -> CheckResult:
    """There are enough learners."""
    return _at_least("users", run.n_users, limits.min_users, "learners")


def check_parameters(run: GateInput, limits: GateLimits) -> CheckResult:
    """Every a and b is in the range of real tests; the value is the number of items outside."""
    inside = (run.a >= limits.a_min) & (run.a <= limits.a_max) & (np.abs(run.b) <= limits.b_max)
    limit = f"{limits.a_min:g} <= a <= {limits.a_max:g}, |b| <= {limits.b_max:g}"
    outside = np.flatnonzero(~inside)
    named = ", ".join(f"{run.item_ids[i]} (a {run.a[i]:.3g}, b {run.b[i]:.3g})" for i in outside[:5])
    message = f"{outside.size} items outside {limit}: {named}" if outside.size else f"every item inside {limit}"
    return CheckResult("parameters", not outside.size, float(outside.size), limit, message)


def check_linked(run: GateInput, limits: GateLimits) -> CheckResult:
    """The run is linked to the scale in use, once there is one."""
    limit = f"linked by >= {limits.min_anchors} anchors once anchors are tagged or a run is published"
    value = float(run.n_anchors_used)
    if run.linked and run.n_anchors_used >= limits.min_anchors:
        message = f"linked by {run.n_anchors_used} of {run.n_anchors_tagged} anchors"
        return CheckResult("linked", True, value, limit, message)
    if run.n_anchors_tagged == 0 and run.published is None:
        return CheckResult("linked", True, None, limit, "no anchors and no published run: this run sets the scale")
    return CheckResult("linked", False, value, limit, _why_not_linked(run, limits))


def check_link_rmsd(run: GateInput, limits: GateLimits) -> CheckResult:
    """After linking, b of the anchors used agrees with their references."""
    limit = f"<= {limits.max_rmsd:g}"
    if not run.linked or run.rmsd is None:
        return CheckResult("link_rmsd", True, None, limit, "not linked: nothing to compare")
    passed = bool(run.rmsd <= limits.max_rmsd)
    return CheckResult("link_rmsd", passed, run.rmsd, limit, f"anchors' b differ by {run.rmsd:.3f} (RMSD)")


def check_correlation_b(run: GateInput, limits: GateLimits) -> CheckResult:
    """b correlates with the published b over the shared items."""
    return _correlation("b", run, limits.min_correlation_b)


def check_correlation_a(run: GateInput, limits: GateLimits) -> CheckResult:
    """a correlates with the published a over the shared items."""
    return _correlation("a", run, limits.min_correlation_a)


def check_common_ability(run: GateInput, _limits: GateLimits) -> CheckResult:
    """The answers are joined by an ability: items that share none do not explain them as well."""
    limit = f"> {COMMON_ABILITY:g} (twice the log-likelihood)"
    if run.soundness is None:
        return CheckResult("common_ability", True, None, limit, NOTHING_TO_COMPARE)
    gain = run.soundness.gain
    found = "an ability joins the answers" if gain > COMMON_ABILITY else "no ability joins the answers: theta is noise"
    return CheckResult("common_ability", gain > COMMON_ABILITY, gain, limit, f"{found} (gain {gain:.1f})")


def check_copies(run: GateInput, limits: GateLimits) -> CheckResult:
    """Hardly any answers belong to learners who are copies of each other."""
    limit = f"<= {limits.max_copied:g} of the answers"
    if run.soundness is None:
        return CheckResult("copies", True, None, limit, NOTHING_TO_COMPARE)
    copied = run.soundness.copied
    message = f"{copied:.1%} of the answers are of learners whose answers are all those of another one"
    return CheckResult("copies", copied <= limits.max_copied, copied, limit, message)


def check_moved_items(run: GateInput, limits: GateLimits) -> CheckResult:
    """Few of the shared items differ from their published parameters by more than their errors explain."""
    limit = f"<= {limits.max_moved:g} of the shared items"
    if run.soundness is None or run.soundness.moved is None or run.soundness.n_items < MIN_SHARED_ITEMS:
        return CheckResult("moved_items", True, None, limit, NOTHING_TO_COMPARE)
    moved, n = run.soundness.moved, run.soundness.n_items
    few = round(moved * n) <= FEW_MOVED
    message = f"{round(moved * n)} of {n} shared items moved beyond their errors"
    return CheckResult("moved_items", few or moved <= limits.max_moved, moved, limit, message)


def check_theta_shift(run: GateInput, limits: GateLimits) -> CheckResult:
    """Learners lie about where they lay when they were last published."""
    limit = f"|median change| <= {limits.max_theta_shift:g}"
    shift = _of_learners(run, "theta_shift")
    if shift is None:
        return CheckResult("theta_shift", True, None, limit, NOTHING_TO_COMPARE)
    message = f"theta of known learners changed by {shift:+.2f} (median)"
    return CheckResult("theta_shift", abs(shift) <= limits.max_theta_shift, shift, limit, message)


def check_correlation_theta(run: GateInput, limits: GateLimits) -> CheckResult:
    """Learners stand in about the order in which they stood when they were last published."""
    limit = f">= {limits.min_correlation_theta:g}"
    found = _of_learners(run, "theta_correlation")
    if found is None:
        return CheckResult("correlation_theta", True, None, limit, NOTHING_TO_COMPARE)
    message = f"theta of known learners correlates {found:.2f} with the published"
    return CheckResult("correlation_theta", found >= limits.min_correlation_theta, found, limit, message)


def _of_learners(run: GateInput, name: str) -> float | None:
    """A comparison of learners; None where too few are known."""
    if run.soundness is None or run.soundness.n_learners < MIN_SHARED_LEARNERS:
        return None
    value: float | None = getattr(run.soundness, name)
    return value


CHECKS: tuple[Check, ...] = (
    check_converged,
    check_items,
    check_users,
    check_parameters,
    check_linked,
    check_link_rmsd,
    check_correlation_b,
    check_correlation_a,
    check_common_ability,
    check_copies,
    check_moved_items,
    check_theta_shift,
    check_correlation_theta,
)


def _at_least(name: str, value: int, least: int, what: str) -> CheckResult:
    message = f"{value} {what}, at least {least} needed" if value < least else f"{value} {what}"
    return CheckResult(name, value >= least, float(value), f">= {least}", message)


def _why_not_linked(run: GateInput, limits: GateLimits) -> str:
    if run.n_anchors_tagged == 0 and run.published is not None:
        return f"no anchors: nothing ties this scale to that of {run.published.run_id}; run `thetaline tag`"
    detail = f" ({run.link_message})" if run.link_message else ""
    used, tagged = run.n_anchors_used, run.n_anchors_tagged
    return f"only {used} of {tagged} tagged anchors could be used, {limits.min_anchors} needed{detail}"


def _correlation(name: str, run: GateInput, least: float) -> CheckResult:
    check, limit = f"correlation_{name}", f">= {least:g}"
    if run.published is None:
        return CheckResult(check, True, None, limit, "no published run: nothing to compare")
    _, here, there = np.intersect1d(run.item_ids.astype(str), run.published.item_ids.astype(str), return_indices=True)
    if here.size < MIN_SHARED_ITEMS:
        return CheckResult(
            check, True, None, limit, f"{here.size} items in common, {MIN_SHARED_ITEMS} needed to compare"
        )
    new, old = getattr(run, name)[here], getattr(run.published, name)[there]
    if min(np.ptp(new), np.ptp(old)) == 0:
        return CheckResult(check, True, None, limit, f"one {name} for all items: nothing to compare")
    value = float(np.corrcoef(new, old)[0, 1])
    message = f"{name} of {here.size} shared items correlates {value:.3f} with the published parameters"
    return CheckResult(check, bool(value >= least), value, limit, message)
