"""IRT Wald test: calibrate each group by itself, link by purified anchors, compare each item (Lord 1980)."""

import numpy as np

from thetaline.irt.calibrate import calibrate
from thetaline.irt.dif.groups import TwoGroups, persons
from thetaline.irt.dif.result import Dif, Settings, classified
from thetaline.irt.invariance import P_DIF_LIMITS, Calibrated, Invariance, invariance
from thetaline.irt.responses import Responses

LEAST_ANCHORS = 3


def wald_dif(responses: Responses, groups: TwoGroups, settings: Settings) -> Dif:
    """Wald χ² of an item's own parameters, with the mean difference in score among the focal group as the effect."""
    sides = [_calibrated(persons(responses, groups.is_focal == focal), settings) for focal in (False, True)]
    found = invariance(*sides, alpha=settings.alpha, least_anchors=LEAST_ANCHORS, purified=settings.purified)
    return _dif(responses, groups, found, settings)


def _calibrated(responses: Responses, settings: Settings) -> Calibrated:
    fit = calibrate(responses, model=settings.model, priors=settings.priors)
    return Calibrated(fit.items, fit.covariance())


def _dif(responses: Responses, groups: TwoGroups, found: Invariance, settings: Settings) -> Dif:
    answered = np.diff(responses.indptr) > 0
    tests, link = found.tests, found.shift.constants
    # The focal group is N(0, 1) on its own scale, so that A and B are its sd and mean on the reference's.
    effect = found.effect(mean=link.B, sd=link.A)
    return Dif(
        method="wald",
        reference=groups.reference,
        focal=groups.focal,
        ids=found.reference.ids,
        statistic=tests.wald,
        df=tests.degrees,
        p=tests.p,
        effect=effect,
        effect_name="p_dif",
        classes=classified(abs(effect), tests.p, P_DIF_LIMITS, alpha=settings.alpha),
        anchors=found.anchor_ids,
        n_reference=groups.size(responses, answered, focal=False),
        n_focal=groups.size(responses, answered, focal=True),
        rounds=found.purified.rounds,
        settled=found.purified.settled,
        details={"a_reference": found.reference.a, "a_focal": found.new.a},
    )
