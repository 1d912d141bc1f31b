"""The publication gate: what a calibration must satisfy before it becomes the current one. Values in, values out."""

import numpy as np

from thetaline.jobs.calibration.gate_soundness import SOUNDNESS_CHECKS
from thetaline.jobs.calibration.gate_values import Check, CheckResult, GateInput, GateLimits

# With fewer, the correlation depends more on which items are shared than on the scale.
MIN_SHARED_ITEMS = 10


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


CHECKS: tuple[Check, ...] = (
    check_converged,
    check_items,
    check_users,
    check_parameters,
    check_linked,
    check_link_rmsd,
    check_correlation_b,
    check_correlation_a,
    *SOUNDNESS_CHECKS,
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
