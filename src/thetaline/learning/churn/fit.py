"""The risk of falling silent: fitted on the past, tried on weeks held out, in force where it beats the nightly S."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thetaline.learning._types import Array, Index, Mask
from thetaline.learning.churn.accuracy import Accuracy, Comparison, accuracy, average_ranks, compared
from thetaline.learning.churn.holdouts import (
    MIN_EVENTS,
    MIN_HOLDOUTS,
    Forecasts,
    can_fit,
    forecasts,
    holdouts,
    known_by,
    nightly_s,
    recalibration_by,
)
from thetaline.learning.churn.landmarks import MONTH_DAYS, SILENT_DAYS, Cohort, LandmarkRows
from thetaline.learning.churn.model import ChurnModel, fit_model, varying
from thetaline.learning.churn.result import ChurnFit, Coefficients, InForce, Risks

MIN_LEARNERS = 30
NEWEST = 0  # the landmark of the last day


def fit_churn(
    cohort: Cohort,
    rng: np.random.Generator,
    *,
    group: Sequence[str | None] | None = None,
    silent_days: int = SILENT_DAYS,
) -> ChurnFit:
    """The model of all rows with known outcomes, its accuracy on weeks held out, the risk of those at risk now.

    `group` (n_learners,) is what accuracy is told by, a classroom for example. What cannot be fitted is a result with
    the reason.
    """
    rows = cohort.rows
    known = known_by(rows, NEWEST, silent_days=silent_days)
    nothing = ChurnFit(cohort.already_silent, known.silent.size, int(known.silent.sum()))
    reason = why_not(rows, known)
    weeks = [] if reason else holdouts(rows, silent_days=silent_days)
    if not reason and len(weeks) < MIN_HOLDOUTS:
        reason = (
            f"{len(weeks)} of at least {MIN_HOLDOUTS} weeks can be held out, each with {MIN_EVENTS} earlier rows of "
            "learners who fell silent and as many of others; more weeks of answers are needed"
        )
    if reason:
        return replace(nothing, reason=reason)
    tried = forecasts(cohort, weeks, silent_days=silent_days)
    model = fit_model(known)
    comparisons = _comparisons(tried, rng)
    better = all(one.is_better(least_holdouts=MIN_HOLDOUTS) for one in comparisons)
    in_force = InForce.LANDMARK_HAZARD if better else InForce.INACTIVITY
    beta, se = model.coefficients
    names = tuple(rows.names[column] for column in model.used)
    return replace(
        nothing,
        coefficients=Coefficients(names, beta, se),
        dropped=tuple(name for name in rows.names if name not in names),
        risks=_risks(cohort, model, tried, in_force, silent_days),
        in_force=in_force,
        comparisons=comparisons,
        accuracy=_accuracies(tried, in_force, group),
        n_holdouts=len(weeks),
    )


def why_not(rows: LandmarkRows, known: LandmarkRows) -> str:
    """Words for what no hazard can be fitted to; empty where one can."""
    n_learners = np.unique(rows.learner).size
    if n_learners < MIN_LEARNERS:
        return f"{n_learners} of at least {MIN_LEARNERS} learners were active after the first {MONTH_DAYS} days"
    if not known.silent.size:
        return "of no week are the days after it over; more weeks of answers are needed"
    n_silent = int(known.silent.sum())
    if not n_silent:
        return f"in {known.silent.size} learner-weeks nobody fell silent"
    if n_silent == known.silent.size:
        return f"in all {n_silent} learner-weeks the learner fell silent"
    if not can_fit(known):
        n_others = known.silent.size - n_silent
        return f"{n_silent} learner-weeks before a silence and {n_others} others are too few; each needs {MIN_EVENTS}"
    return "" if varying(known) else "no covariate differs between learners or weeks"


def _comparisons(tried: Forecasts, rng: np.random.Generator) -> tuple[Comparison, ...]:
    rows = tried.rows
    shared = rows.silent, rows.learner, rows.landmark
    return tuple(
        compared(name, tried.risk, theirs, *shared, rng)
        for name, theirs in (("inactivity", tried.inactivity), ("recency", tried.recency))
    )


def _accuracies(tried: Forecasts, in_force: InForce, group: Sequence[str | None] | None) -> dict[str, Accuracy]:
    """Of all rows by forecast; of new and old learners and of each group by the one in force."""
    y, is_new = tried.rows.silent, tried.rows.is_new
    risk = tried.risk if in_force is InForce.LANDMARK_HAZARD else tried.inactivity
    found = {
        "landmark_hazard": accuracy(tried.risk, y),
        "inactivity": accuracy(tried.inactivity, y),
        "recency": accuracy(tried.recency, y),
        "new learners": accuracy(risk[is_new], y[is_new]),
        "old learners": accuracy(risk[~is_new], y[~is_new]),
    }
    rows = rows_of_groups(group, tried.rows) if group is not None else {}
    return found | {f"group {one}": accuracy(risk[own], y[own]) for one, own in rows.items()}


def rows_of_groups(group: Sequence[str | None], rows: LandmarkRows) -> dict[str, Index]:
    """The rows of each group that has a name, in the order of names."""
    names = sorted({one for one in group if one})
    number = {name: code for code, name in enumerate(names)}
    code = np.array([number.get(one or "", -1) for one in group])[rows.learner]
    order = np.argsort(code, kind="stable")
    ends = np.searchsorted(code[order], np.arange(len(names) + 1))
    return {name: order[ends[at] : ends[at + 1]] for name, at in number.items() if ends[at] < ends[at + 1]}


def _risks(cohort: Cohort, model: ChurnModel, tried: Forecasts, in_force: InForce, silent_days: int) -> Risks:
    now = cohort.rows.where(cohort.rows.landmark == NEWEST)
    eta = model.eta(now)
    hazard = recalibration_by(tried, NEWEST, silent_days).risk(eta)
    inactivity = nightly_s(cohort, now, NEWEST, silent_days)
    risk = hazard if in_force is InForce.LANDMARK_HAZARD else inactivity
    rank = 100 * (average_ranks(risk) - 0.5) / max(risk.size, 1)
    relative = np.exp(eta - eta.mean()) if eta.size else eta
    columns = (risk, hazard, inactivity, relative, rank)
    return Risks(*(_of_all(column, now, cohort.already_silent) for column in columns))


def _of_all(column: Array, now: LandmarkRows, everybody: Mask) -> Array:
    found = np.full(everybody.size, np.nan)
    found[now.learner] = column
    return found
