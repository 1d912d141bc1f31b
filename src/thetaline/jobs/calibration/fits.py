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

TRIAL_TOL = 1e-3  # of calibrations that are made for the mean of their slopes; moves it by less than 1e-3


@dataclass(frozen=True, slots=True)
class Slopes:
    """The sd of log a, by default where the answers have not been asked, and how far the joint mode lies too high."""

    spread: float = 0.4
    excess: float = 0.0


@dataclass(frozen=True, slots=True)
class Fits:
    """The answers, the one model of all items, and how to calibrate them."""

    responses: irt.Responses
    model: str
    progress: Callable[[irt.Cycle], None] | None = None

    def on_its_own_scale(self) -> tuple[irt.Fit, Slopes]:
        """Learners are N(0, 1), and the items are what such learners make of them."""
        if not has_own_slopes(self.model):
            return self._fit(NO_SLOPE_PRIOR), Slopes()
        joint = estimated_slope_prior(self._trial)
        few = self.responses.n_observations < PLENTY * self.responses.n_items
        marginal = marginal_centre(self._trial, joint) if few else joint
        return self._fit(marginal.priors()), Slopes(joint.spread, joint.centre - marginal.centre)

    def beside(self, anchors: irt.Items, slopes: Slopes) -> irt.Fit:
        """On the scale of anchors that are held fixed; other slopes are expected where the anchors' are.

        References may be exact, or estimates that have the excess themselves: half of it lies between.
        """
        if not has_own_slopes(self.model):
            return self._fit(NO_SLOPE_PRIOR, anchors)
        centre = float(np.log(anchors.a).mean()) + slopes.excess / 2
        return self._fit(SlopePrior(centre, slopes.spread).priors(), anchors)

    def without_excess(self, fit: irt.Fit, slopes: Slopes) -> irt.Items:
        """The items; slopes that were not held are lower by their share of the bias, which goes with the variance."""
        variance = np.nan_to_num(fit.covariance_by_item()[:, 0, 0] / fit.items.a**2)
        if slopes.excess <= 0 or not variance.any():
            return fit.items
        share = variance / variance[variance > 0].mean()
        return fit.items.replaced(a=fit.items.a * np.exp(-slopes.excess * share))

    def standard_errors(self, fit: irt.Fit) -> irt.Items:
        """By item blocks, but for a shared slope, which is in no item's block."""
        return fit.standard_errors(form="item blocks" if has_own_slopes(self.model) else None)

    def _trial(self, priors: irt.Priors) -> irt.Fit:
        """Near enough to its limit for the mean of the slopes."""
        return irt.calibrate(self.responses, model=self.model, priors=priors, tol=TRIAL_TOL, progress=self.progress)

    def _fit(self, priors: irt.Priors, anchors: irt.Items | None = None) -> irt.Fit:
        return irt.calibrate(self.responses, model=self.model, anchors=anchors, priors=priors, progress=self.progress)


def has_own_slopes(model: str) -> bool:
    """Whether every item of a model has a slope of its own."""
    return not irt.FAMILIES[model].tied
