"""The calibration engine of this process: `thetaline.irt` with priors for nights with few answers an item."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

import thetaline
from thetaline import irt
from thetaline.errors import ItemsError
from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.all_items_fixed import reply_with_fixed_items
from thetaline.jobs.calibration.engine import (
    AbilityEstimates,
    CalibrationReply,
    CalibrationRequest,
    FitReport,
    ItemEstimates,
    Linking,
    OnCycle,
)
from thetaline.jobs.item_params import items_of_params

# Centred on the items of real tests and weak against thirty answers; c near .2, d as far from 1 as c from 0.
PRIORS = irt.Priors(a=irt.LogNormal(0.0, 0.5), b=irt.Normal(0.0, 2.0), c=irt.Beta(5.0, 17.0), d=irt.Beta(17.0, 5.0))
FIXED = "fixed-anchors"
ITEM_FINDINGS = (irt.Finding.REVERSED, irt.Finding.RUNAWAY, irt.Finding.ASYMPTOTE)


@dataclass(frozen=True, slots=True)
class ScaleTransformation:
    """A theta + B, from the fit's scale to the reply's; `linking` is None where both are the same."""

    A: float = 1.0
    B: float = 0.0
    linking: Linking | None = None
    not_linked: str = ""

    def moments(self, mean: float, sd: float) -> tuple[float, float]:
        """Mean and standard deviation of theta on the reply's scale."""
        return self.A * mean + self.B, self.A * sd


@dataclass(frozen=True, slots=True)
class InProcessEngine:
    """Calibrate freely (marginal MAP), link to the anchors with screening, score by EAP on the linked scale.

    Anchors that ask to be fixed are held fixed instead; the population is then free, and other anchors are not used.
    """

    method: str = "stocking-lord"
    name: str = f"thetaline {thetaline.__version__}"

    def calibrate(self, request: CalibrationRequest, *, on_cycle: OnCycle | None = None) -> CalibrationReply:
        """Calibrate, link, score; the library gets positions as ids, so that each text is looked up once."""
        observations = request.observations
        responses = irt.Responses.from_long(observations.user, observations.item, observations.correct)
        fixed = _bank(request, (anchor for anchor in request.anchors if anchor.fixed))
        if fixed is not None and len(fixed) == responses.n_items:
            return reply_with_fixed_items(request, responses, fixed, engine=self.name, method=FIXED)
        fit = irt.calibrate(responses, model=request.model, anchors=fixed, priors=PRIORS, progress=_progress(on_cycle))
        se = fit.standard_errors()
        scale = _fixed_scale(fit, fixed) if fixed else self._linked_scale(request, fit.items, se)
        scores = irt.score(responses, fit.items, method="EAP", prior=_population(fit))
        return CalibrationReply(
            fit=_report(fit, self.name),
            items=_items(request, fit.items.rescaled(scale.A, scale.B), se, scale),
            abilities=_abilities(request, scores, scale),
            linking=scale.linking,
            not_linked=scale.not_linked,
            population=scale.moments(*_population(fit)),
            item_notes=_item_notes(request, fit),
        )

    def _linked_scale(self, request: CalibrationRequest, items: irt.Items, se: irt.Items) -> ScaleTransformation:
        reference = _bank(request, request.anchors)
        if reference is None:
            return ScaleTransformation(not_linked="no anchor is among the calibrated items" if request.anchors else "")
        try:
            link = irt.link(new=items, reference=reference, method=self.method, new_covariance=se)
        except ItemsError as error:  # anchors in reversed order of difficulty
            return ScaleTransformation(not_linked=str(error))
        if not link.linked:
            return ScaleTransformation(not_linked=link.reason)
        names = request.observations.item_ids
        linking = Linking(
            A=link.A,
            B=link.B,
            n_anchors_used=link.n_anchors_used,
            method=link.method,
            dropped={str(names[position]): reason for position, reason in link.dropped.items()},
        )
        return ScaleTransformation(link.A, link.B, linking)


def _bank(request: CalibrationRequest, anchors: Iterable[AnchorItem]) -> irt.Items | None:
    """The anchors among the observed items, under the positions of these; None without any."""
    position = {name: i for i, name in enumerate(request.observations.item_ids.tolist())}
    known = [(position[anchor.item_id], anchor) for anchor in anchors if anchor.item_id in position]
    if not known:
        return None
    ids, params = [i for i, _ in known], [anchor.params() for _, anchor in known]
    return items_of_params(ids, [request.model] * len(known), params)


def _progress(on_cycle: OnCycle | None) -> Callable[[irt.Cycle], None] | None:
    if on_cycle is None:
        return None
    return lambda cycle: on_cycle(cycle.cycle, cycle.log_likelihood, cycle.largest_change)


def _fixed_scale(fit: irt.Fit, fixed: irt.Items) -> ScaleTransformation:
    """The fit is on the anchors' scale; A and B are the sd and mean of its population there."""
    mean, sd = _population(fit)
    return ScaleTransformation(linking=Linking(A=sd, B=mean, n_anchors_used=len(fixed), method=FIXED, dropped={}))


def _population(fit: irt.Fit) -> tuple[float, float]:
    """Mean and standard deviation of the one group, on the fit's scale."""
    return float(fit.population.mean[0]), float(fit.population.sd[0])


def _item_notes(request: CalibrationRequest, fit: irt.Fit) -> dict[str, tuple[str, ...]]:
    """What the fit found about single items, by the ids of the request."""
    names = request.observations.item_ids
    found = {finding: np.array(fit.ids_with(finding), dtype=np.intp) for finding in ITEM_FINDINGS}
    return {str(finding): tuple(names[at].tolist()) for finding, at in found.items() if at.size}


def _report(fit: irt.Fit, engine: str) -> FitReport:
    return FitReport(
        status=str(fit.status),
        converged=fit.converged,
        cycles=fit.cycles,
        log_likelihood=fit.log_likelihood,
        aic=fit.aic,
        bic=fit.bic,
        engine=engine,
    )


def _items(request: CalibrationRequest, items: irt.Items, se: irt.Items, scale: ScaleTransformation) -> ItemEstimates:
    """Parameters with standard errors, which do not include the error of A and B."""
    given = {"a": items.a, "b": items.b, "c": items.c, "d": items.d}
    errors = {"a": se.a / scale.A, "b": se.b * scale.A, "c": se.c, "d": se.d}
    return ItemEstimates(
        item_ids=request.observations.item_ids[items.ids.astype(np.intp)],
        parameters={name: values for name, values in given.items() if np.isfinite(values).any()},
        se={name: values for name, values in errors.items() if np.isfinite(values).any()},
    )


def _abilities(request: CalibrationRequest, scores: irt.Scores, scale: ScaleTransformation) -> AbilityEstimates:
    return AbilityEstimates(
        user_ids=request.observations.user_ids[scores.ids.astype(np.intp)],
        theta=scale.A * scores.theta + scale.B,
        se=scale.A * scores.se,
    )
