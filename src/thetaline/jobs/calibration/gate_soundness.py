"""The checks of the gate on the answers themselves, and on what is published of items and learners."""

from thetaline.jobs.calibration.gate_values import NOTHING_TO_COMPARE, Check, CheckResult, GateInput, GateLimits
from thetaline.jobs.calibration.published_comparison import ThetaChange
from thetaline.learning.windows import date_of_number

COMMON_ABILITY = 2.71  # one-sided 5 % of chi-square with one degree of freedom: the slope that all items share is not 0
FEW_MOVED = 1.5  # items that may have moved in the smallest bank: single items are the drift check's
FEWEST_TESTED = 10  # shared items
FEWEST_LEARNERS = 50  # in both calibrations
DAYS_NAMED = 5


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


def check_days(run: GateInput, limits: GateLimits) -> CheckResult:
    """The answers of each day go with the abilities of those who gave them."""
    limit = f"<= {limits.max_odd_days:g} of the answers"
    if run.soundness is None:
        return CheckResult("days", True, None, limit, NOTHING_TO_COMPARE)
    odd = run.soundness.odd_days
    named = ", ".join(str(date_of_number(number)) for number in odd.numbers[:DAYS_NAMED])
    message = f"{odd.share:.1%} of the answers are of days that were marked unlike the others{named and ': '}{named}"
    return CheckResult("days", odd.share <= limits.max_odd_days, odd.share, limit, message)


def check_references(run: GateInput, limits: GateLimits) -> CheckResult:
    """The anchors' references have the unit and the origin of what was published of the same items."""
    limit = f"<= {limits.max_references_gap:g}"
    gap = None if run.soundness is None else run.soundness.references_gap
    if gap is None:
        return CheckResult("references", True, None, limit, NOTHING_TO_COMPARE)
    message = f"references and published parameters differ by {gap:.2f} (log a, b, or the spread of b)"
    return CheckResult("references", gap <= limits.max_references_gap, gap, limit, message)


def check_moved_items(run: GateInput, limits: GateLimits) -> CheckResult:
    """Few of the shared items differ from their published parameters by more than their errors explain."""
    limit = f"<= {limits.max_moved:g} of the shared items"
    if run.soundness is None or run.soundness.moved is None or run.soundness.n_items < FEWEST_TESTED:
        return CheckResult("moved_items", True, None, limit, NOTHING_TO_COMPARE)
    moved, n = run.soundness.moved, run.soundness.n_items
    few = moved * n <= FEW_MOVED
    message = f"{moved * n:.1f} of {n} shared items moved beyond their errors"
    return CheckResult("moved_items", few or moved <= limits.max_moved, moved, limit, message)


def check_theta_shift(run: GateInput, limits: GateLimits) -> CheckResult:
    """Learners lie about where they lay when they were last published."""
    limit = f"|median change| <= {limits.max_theta_shift:g}"
    shift = _learners(run).shift
    if shift is None:
        return CheckResult("theta_shift", True, None, limit, NOTHING_TO_COMPARE)
    message = f"theta of known learners changed by {shift:+.2f} (median)"
    return CheckResult("theta_shift", abs(shift) <= limits.max_theta_shift, shift, limit, message)


def check_correlation_theta(run: GateInput, limits: GateLimits) -> CheckResult:
    """Learners stand in about the order in which they stood when they were last published."""
    limit = f">= {limits.min_correlation_theta:g}"
    found = _learners(run).correlation
    if found is None:
        return CheckResult("correlation_theta", True, None, limit, NOTHING_TO_COMPARE)
    message = f"theta of known learners correlates {found:.2f} with the published"
    return CheckResult("correlation_theta", found >= limits.min_correlation_theta, found, limit, message)


def check_changed_learners(run: GateInput, limits: GateLimits) -> CheckResult:
    """Few learners moved away from the others by more than the errors of both estimates explain."""
    limit = f"<= {limits.max_changed_learners:g} of the known learners"
    found = _learners(run).changed
    if found is None:
        return CheckResult("changed_learners", True, None, limit, NOTHING_TO_COMPARE)
    message = f"theta of {found:.1%} of the known learners changed beyond its errors"
    return CheckResult("changed_learners", found <= limits.max_changed_learners, found, limit, message)


def _learners(run: GateInput) -> ThetaChange:
    """The comparison of learners; nothing where too few are known."""
    known = run.soundness.learners if run.soundness else None
    return known if known and known.n >= FEWEST_LEARNERS else ThetaChange(None, None, None, 0)


SOUNDNESS_CHECKS: tuple[Check, ...] = (
    check_common_ability,
    check_copies,
    check_days,
    check_references,
    check_moved_items,
    check_theta_shift,
    check_correlation_theta,
    check_changed_learners,
)
