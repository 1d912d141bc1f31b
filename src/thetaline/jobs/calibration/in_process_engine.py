"""The calibration engine of this process: `thetaline.irt` with priors for nights with few answers an item."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

import thetaline
from thetaline import irt
from thetaline.errors import ItemsError
from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.all_items_fixed import FEWEST_ITEMS, FEWEST_PERSONS, reply_with_fixed_items
from thetaline.jobs.calibration.engine import (
    AbilityEstimates,
    CalibrationReply,
    CalibrationRequest,
    FitReport,
    ItemEstimates,
    Linking,
    OnCycle,
)
from thetaline.jobs.calibration.fits import Fits, Slopes, has_own_slopes
from thetaline.jobs.item_params import items_of_params

FIXED = "fixed-anchors"
ITEM_FINDINGS = (irt.Finding.REVERSED, irt.Finding.RUNAWAY, irt.Finding.FLAT, irt.Finding.ASYMPTOTE)


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """A fit on the scale of the reply, and how it came there."""

    fit: irt.Fit
    items: irt.Items
    linking: Linking | None = None
    not_linked: str = ""
    free_anchors: ItemEstimates | None = None


@dataclass(frozen=True, slots=True)
class InProcessEngine:
    """Calibrate freely and link to the anchors with screening; then again with the anchors that are left held fixed.

    The second calibration puts items and learners on the anchors' scale (Kim, 2006); its population is free and A and B
    are that population's sd and mean.  Where anchors ask to be fixed there is no screening, and others are not used.
    Learners are scored by EAP under the population.
    """

    method: str = "stocking-lord"
    name: str = f"thetaline {thetaline.__version__}"

    def calibrate(self, request: CalibrationRequest, *, on_cycle: OnCycle | None = None) -> CalibrationReply:
        """Calibrate, link, score; the library gets positions as ids, so that each text is looked up once."""
        observations = request.observations
        responses = irt.Responses.from_long(observations.user, observations.item, observations.correct)
        fits = Fits(responses, request.model, _progress(on_cycle))
        fixed = _bank(request, (anchor for anchor in request.anchors if anchor.fixed))
        if fixed is not None and len(fixed) == responses.n_items and not _tells_a_population(responses):
            return reply_with_fixed_items(request, responses, fixed, engine=self.name, method=FIXED)
        scale = _fixed_scale(fits, fixed) if fixed else self._linked_scale(fits, request)
        fit = scale.fit
        scores = irt.score(responses, scale.items, method="EAP", prior=_population(fit))
        return CalibrationReply(
            fit=_report(fit, self.name),
            items=_estimates(request, fit, scale.items),
            abilities=_abilities(request, scores),
            linking=scale.linking,
            not_linked=scale.not_linked,
            population=_population(fit),
            item_notes=_item_notes(request, fit),
            free_anchors=scale.free_anchors,
        )

    def _linked_scale(self, fits: Fits, request: CalibrationRequest) -> _Scale:
        reference = _bank(request, request.anchors)
        if reference is None:
            lost = "no anchor is among the calibrated items" if request.anchors else ""
            return _on_its_own(fits.on_its_own_scale()[0], lost)
        free, slopes = fits.on_its_own_scale()
        try:
            errors = fits.standard_errors(free)
            link = irt.link(new=free.items, reference=reference, method=self.method, new_covariance=errors)
        except ItemsError as error:  # moments of anchors that are all alike
            return _on_its_own(free, str(error))
        if not link.linked:
            return _on_its_own(free, link.reason)
        fit = fits.beside(reference.take(link.anchor_ids.tolist()), slopes)
        names = request.observations.item_ids
        linking = Linking(
            A=_sd_ratio(fit, free),
            B=_population(fit)[0],
            n_anchors_used=link.n_anchors_used,
            method=link.method,
            dropped={str(names[position]): reason for position, reason in link.dropped.items()},
        )
        anchors = [str(names[position]) for position in reference.ids.tolist()]
        estimates = _estimates(request, free, free.items, A=link.A, B=link.B)
        return _Scale(fit, fits.without_excess(fit, slopes), linking, free_anchors=estimates.some(anchors))


def _on_its_own(fit: irt.Fit, reason: str) -> _Scale:
    return _Scale(fit, fit.items, not_linked=reason)


def _fixed_scale(fits: Fits, fixed: irt.Items) -> _Scale:
    """The fit is on the anchors' scale; A and B are the sd and mean of its population there."""
    fit = fits.beside(fixed, Slopes())
    mean, sd = _population(fit)
    return _Scale(fit, fit.items, Linking(A=sd, B=mean, n_anchors_used=len(fixed), method=FIXED, dropped={}))


def _tells_a_population(responses: irt.Responses) -> bool:
    return responses.n_persons >= FEWEST_PERSONS and responses.n_items >= FEWEST_ITEMS


def _sd_ratio(fit: irt.Fit, free: irt.Fit) -> float:
    """A: how much wider learners lie on the anchors' scale than on the free one; 1 where slopes are given."""
    if free.items.model.size and irt.FAMILIES[str(free.items.model[0])].unit:
        return 1.0
    return _population(fit)[1] / _population(free)[1]


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


def _estimates(
    request: CalibrationRequest, fit: irt.Fit, items: irt.Items, *, A: float = 1.0, B: float = 0.0
) -> ItemEstimates:
    """Parameters with each item's own covariance, on the scale A θ + B; the error of A and B is not in it."""
    items = items.rescaled(A, B)
    given = {"a": items.a, "b": items.b, "c": items.c, "d": items.d}
    covariance = fit.covariance_by_item()
    variances = np.diagonal(covariance, axis1=1, axis2=2) * np.array([A**-2, A**2, 1.0, 1.0])
    with np.errstate(invalid="ignore"):
        errors = dict(zip("abcd", np.where(variances > 0, np.sqrt(variances), np.nan).T, strict=True))
    if not has_own_slopes(request.model):  # a shared slope is in no item's block
        errors["a"] = fit.standard_errors().a / A
    return ItemEstimates(
        item_ids=request.observations.item_ids[items.ids.astype(np.intp)],
        parameters={name: values for name, values in given.items() if np.isfinite(values).any()},
        se={name: values for name, values in errors.items() if np.isfinite(values).any()},
        covariance_ab=covariance[:, 0, 1],
    )


def _abilities(request: CalibrationRequest, scores: irt.Scores) -> AbilityEstimates:
    return AbilityEstimates(
        user_ids=request.observations.user_ids[scores.ids.astype(np.intp)], theta=scores.theta, se=scores.se
    )
