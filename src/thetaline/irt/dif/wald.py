"""IRT Wald test: calibrate each group by itself, link by purified anchors, compare each item (Lord 1980)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import ResponsesError
from thetaline.irt._types import Array
from thetaline.irt.calibrate import calibrate
from thetaline.irt.dif.matching import TwoGroups
from thetaline.irt.dif.result import Dif, DifOptions, classified
from thetaline.irt.dif.testable import untestable
from thetaline.irt.fit import Fit
from thetaline.irt.invariance import P_DIF_LIMITS, Calibrated, Invariance, invariance
from thetaline.irt.responses import Responses, items_of, persons_of

LEAST_ANCHORS = 3


def wald_dif(responses: Responses, groups: TwoGroups, settings: DifOptions) -> Dif:
    """Wald χ² of an item's own parameters, with the mean difference in score among the focal group as the effect.

    An item that a group always answers alike, in other categories than the other group or too seldom has no statistic
    (NaN); `details["reason"]` says why. Raises ResponsesError where fewer than three items are left, and where the
    calibration of a group did not converge: the errors of its items are then none.
    """
    reasons = untestable(responses, groups, settings)
    kept = items_of(responses, reasons == "")
    if kept.n_items < LEAST_ANCHORS:
        first = int(np.argmax(reasons != ""))
        raise ResponsesError(
            f"only {kept.n_items} of {responses.n_items} items can be tested in both groups, {LEAST_ANCHORS} are "
            f"needed; item {responses.item_ids[first]!r}: {reasons[first]}"
        )
    labels = {False: groups.reference, True: groups.focal}
    fits = {labels[side]: _fitted(persons_of(kept, groups.is_focal == side), settings, labels[side]) for side in labels}
    sides = [Calibrated(fit.items, fit.covariance()) for fit in fits.values()]
    found = invariance(*sides, alpha=settings.alpha, least_anchors=LEAST_ANCHORS, purified=settings.purified)
    notes = tuple(f"group {label!r}: {note}" for label, fit in fits.items() for note in fit.notes)
    return replace(_dif(responses, groups, found, settings, reasons), notes=notes)


def _fitted(responses: Responses, settings: DifOptions, label: object) -> Fit:
    """Calibrate one group; raises ResponsesError where that did not converge."""
    fit = calibrate(responses, model=settings.model, priors=settings.priors)
    if not fit.converged:
        raise ResponsesError(
            f"the calibration of the {fit.n_persons:.0f} persons of group {label!r} is {fit.status}, its items are no "
            f"measure to compare with: {'; '.join(map(str, fit.notes))}; give priors on a and b, or take model='Rasch' "
            "or method='mantel-haenszel'"
        )
    return fit


def _dif(
    responses: Responses, groups: TwoGroups, found: Invariance, settings: DifOptions, reasons: NDArray[np.object_]
) -> Dif:
    answered = np.diff(responses.indptr) > 0
    tests, link = found.tests, found.shift.constants
    at = [responses.item_ids.tolist().index(name) for name in found.reference.ids.tolist()]

    def everywhere(values: Array) -> Array:
        column = np.full(responses.n_items, np.nan)
        column[at] = values
        return column

    # The focal group is N(0, 1) on its own scale, so that A and B are its sd and mean on the reference's.
    effect, p = everywhere(found.effect(mean=link.B, sd=link.A)), everywhere(tests.p)
    return Dif(
        method="wald",
        reference=groups.reference,
        focal=groups.focal,
        ids=responses.item_ids,
        statistic=everywhere(tests.wald),
        df=np.nan_to_num(everywhere(tests.degrees.astype(np.float64))).astype(np.int64),
        p=p,
        effect=effect,
        effect_name="p_dif",
        classes=classified(np.abs(effect), p, P_DIF_LIMITS, alpha=settings.alpha),
        anchors=found.anchor_ids,
        n_reference=groups.size(responses, answered, focal=False),
        n_focal=groups.size(responses, answered, focal=True),
        rounds=found.purified.rounds,
        settled=found.purified.settled,
        details={"a_reference": everywhere(found.reference.a), "a_focal": everywhere(found.new.a), "reason": reasons},
    )
