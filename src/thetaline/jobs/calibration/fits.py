"""The calibrations of a night: on a scale of its own, to be linked, and beside anchors that are held fixed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thetaline import irt
from thetaline.jobs.calibration.slope_prior import (
    NO_SLOPE_PRIOR,
    PLENTY,
    SlopePrior,
    estimated_slope_prior,
    marginal_centre,
)

SPREAD = 0.4  # of log a, where the answers have not been asked


@dataclass(frozen=True, slots=True)
class Fits:
    """The answers, the one model of all items, and how to calibrate them."""

    responses: irt.Responses
    model: str
    progress: Callable[[irt.Cycle], None] | None = None

    def on_its_own_scale(self) -> irt.Fit:
        """Learners are N(0, 1), and the items are what such learners make of them."""
        if not has_own_slopes(self.model):
            return self._fit(NO_SLOPE_PRIOR)
        prior = estimated_slope_prior(self._fit)
        if self.responses.n_observations < PLENTY * self.responses.n_items:
            prior = marginal_centre(self._fit, prior)
        return self._fit(prior.priors())

    def to_be_linked(self) -> tuple[irt.Fit, float]:
        """On a scale of its own, with the spread of log a."""
        if not has_own_slopes(self.model):
            return self._fit(NO_SLOPE_PRIOR), SPREAD
        prior = estimated_slope_prior(self._fit)
        return self._fit(prior.priors()), prior.spread

    def beside(self, anchors: irt.Items, spread: float = SPREAD) -> irt.Fit:
        """On the scale of anchors that are held fixed; other slopes are expected where the anchors' are."""
        own = has_own_slopes(self.model)
        prior = SlopePrior(float(np.log(anchors.a).mean()), spread).priors() if own else NO_SLOPE_PRIOR
        return self._fit(prior, anchors)

    def standard_errors(self, fit: irt.Fit) -> irt.Items:
        """By item blocks, but for a shared slope, which is in no item's block."""
        return fit.standard_errors(form="item blocks" if has_own_slopes(self.model) else None)

    def _fit(self, priors: irt.Priors, anchors: irt.Items | None = None) -> irt.Fit:
        return irt.calibrate(self.responses, model=self.model, anchors=anchors, priors=priors, progress=self.progress)


def has_own_slopes(model: str) -> bool:
    """Whether every item of a model has a slope of its own."""
    return not irt.FAMILIES[model].tied
