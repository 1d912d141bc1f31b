"""Growth lines of a cohort from its answers: marginal maximum likelihood, item parameters held fixed."""

from dataclasses import replace

import numpy as np

from thetaline.errors import InputError
from thetaline.irt.threads import single_threaded_blas
from thetaline.learning.growth.answers import GrowthAnswers
from thetaline.learning.growth.bend import averaged_with, knots
from thetaline.learning.growth.data_checks import Prepared, diagnostics, prepared
from thetaline.learning.growth.lines import Lines, learner_lines
from thetaline.learning.growth.maximum import LogPosterior, Maximum, maximise
from thetaline.learning.growth.model import GrowthModel, Spreads
from thetaline.learning.growth.parameter_uncertainty import MOST_LEARNERS, averaged
from thetaline.learning.growth.result import NO_WEEK, FixedEffects, GrowthFit, GrowthStatus, LearnerLines, not_fitted
from thetaline.learning.growth.spec import GrowthSpec
from thetaline.learning.growth.whole_cohort import refined, thinned

BENT = 0.5  # probability of a plateau from which a learner is said to have one


def fit_growth(answers: GrowthAnswers, spec: GrowthSpec) -> GrowthFit:
    """Fit θ = level + slope · week with learners' own levels and slopes to answers up to `spec.now_week`.

    Laird & Ware's (1982) model over item response curves: the effects are integrated out as in Bock & Aitkin (1981),
    with expectation propagation in place of a grid. Data that cannot carry it give a value with the reason, not an
    error. Raises InputError for answers after `now_week` and for covariates that do not cover the learners.
    """
    _refuse(answers, spec)
    data = prepared(answers, spec)
    if isinstance(data, str):
        return not_fitted(spec, data, diagnostics(answers))
    with single_threaded_blas():  # the matrices are small: threads work on blocks of learners instead
        return _fit(data, spec)


def _fit(data: Prepared, spec: GrowthSpec) -> GrowthFit:
    target = LogPosterior(thinned(data.cohort), spec)
    found = maximise(target, spec)
    if not found.converged:
        reason = f"the search stopped {found.distance:.1f} standard errors from the maximum after {found.cycles} cycles"
        return not_fitted(spec, reason, diagnostics(data.cohort.answers))
    found, lines = refined(data.cohort, spec, found, target)
    counts = diagnostics(data.cohort.answers, distance=found.distance)
    counts = replace(counts, n_learners_searched=target.n_learners)
    if counts.n_learners <= MOST_LEARNERS:
        mixture = averaged(target, found)
        found = replace(found, phi=mixture.phi, covariance=mixture.phi_covariance)
        lines = lines._replace(mean=mixture.mean, covariance=mixture.covariance)
        counts = replace(counts, effective_draws=mixture.effective_draws)
    model = data.cohort.model
    return GrowthFit(
        spec=spec,
        status=GrowthStatus.SIMPLIFIED if data.dropped else GrowthStatus.FITTED,
        reason="; ".join(data.dropped),
        dropped=data.dropped,
        fixed=_fixed(data.names, model, found),
        spreads=model.spreads(found.phi),
        spreads_se=_spreads_se(model, found),
        log_likelihood=lines.log_likelihood,
        cycles=found.cycles,
        diagnostics=counts,
        learners=_with_plateaus(data, spec, lines),
    )


def _with_plateaus(data: Prepared, spec: GrowthSpec, lines: Lines) -> LearnerLines:
    bend_week = np.full(len(lines.mean), NO_WEEK, np.int32)
    if not lines.bends:
        return learner_lines(data.cohort, lines.mean, lines.covariance, bend_week)
    mixture = averaged_with(lines.mean, lines.covariance, lines.bends)
    weeks = np.array(knots(data.cohort.from_now), np.int32) + spec.now_week
    likelier = mixture.probability > BENT
    bend_week[likelier] = weeks[mixture.knot[likelier]]
    return learner_lines(data.cohort, mixture.mean, mixture.covariance, bend_week)


def _fixed(names: tuple[str, ...], model: GrowthModel, found: Maximum) -> FixedEffects:
    se = np.sqrt(np.diag(found.covariance))
    return FixedEffects(names, found.phi[: model.n_fixed], se[: model.n_fixed])


def _spreads_se(model: GrowthModel, found: Maximum) -> Spreads:
    se = np.sqrt(np.diag(found.covariance))[model.n_fixed :] * model.spread_slopes(found.phi)
    return Spreads(**dict.fromkeys(Spreads._fields, np.nan) | dict(zip(model.spread_names, se.tolist(), strict=True)))


def _refuse(answers: GrowthAnswers, spec: GrowthSpec) -> None:
    if answers.n_answers and answers.week.max() > spec.now_week:
        raise InputError(f"an answer is of week {answers.week.max()}, after now_week {spec.now_week}; leave it out")
    for name in ("level_covariates", "slope_covariates"):
        given = getattr(spec, name)
        if given is not None and len(given.values) != answers.n_learners:
            raise InputError(f"{name} have {len(given.values)} rows; {answers.n_learners} learners are needed")
