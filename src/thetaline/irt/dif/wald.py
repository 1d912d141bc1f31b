"""IRT Wald test: calibrate each group by itself, link by purified anchors, compare each item (Lord 1980)."""

import numpy as np

from thetaline.errors import ResponsesError
from thetaline.irt._types import Array, Mask
from thetaline.irt.calibrate import calibrate
from thetaline.irt.dif.matching import TwoGroups
from thetaline.irt.dif.result import Dif, DifOptions, classified
from thetaline.irt.invariance import P_DIF_LIMITS, Calibrated, Invariance, invariance
from thetaline.irt.responses import Responses, items_of, persons_of

LEAST_ANCHORS = 3


def wald_dif(responses: Responses, groups: TwoGroups, settings: DifOptions) -> Dif:
    """Wald χ² of an item's own parameters, with the mean difference in score among the focal group as the effect.

    An item that one group always answers alike, or with fewer categories than the other, has no statistic (NaN).
    """
    testable = _same_categories(responses, groups)
    if testable.sum() < LEAST_ANCHORS:
        raise ResponsesError(
            f"only {testable.sum()} of {responses.n_items} items were answered in the same categories by both groups; "
            f"{LEAST_ANCHORS} are needed"
        )
    kept = items_of(responses, testable)
    sides = [_calibrated(persons_of(kept, groups.is_focal == focal), settings) for focal in (False, True)]
    found = invariance(*sides, alpha=settings.alpha, least_anchors=LEAST_ANCHORS, purified=settings.purified)
    return _dif(responses, groups, found, settings)


def _same_categories(responses: Responses, groups: TwoGroups) -> Mask:
    """(I,) whether both groups gave the same two or more categories of an item."""
    width = int(responses.answer.max(initial=0)) + 1
    cell = (groups.is_focal[responses.person] * responses.n_items + responses.item) * width + responses.answer
    seen = np.bincount(cell, minlength=2 * responses.n_items * width).reshape(2, responses.n_items, width) > 0
    return np.asarray((seen[0] == seen[1]).all(axis=1) & (seen[0].sum(axis=1) > 1))


def _calibrated(responses: Responses, settings: DifOptions) -> Calibrated:
    fit = calibrate(responses, model=settings.model, priors=settings.priors)
    return Calibrated(fit.items, fit.covariance())


def _dif(responses: Responses, groups: TwoGroups, found: Invariance, settings: DifOptions) -> Dif:
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
        details={"a_reference": everywhere(found.reference.a), "a_focal": everywhere(found.new.a)},
    )
