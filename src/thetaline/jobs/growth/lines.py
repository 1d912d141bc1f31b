"""The job `fit_bayesian_growth`: every learner's line from the answers themselves, and what it says of the goals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray

from thetaline.jobs.abilities.estimates import lock_items
from thetaline.jobs.abilities.item_bank import load_item_bank
from thetaline.jobs.arrays import Array, Int32s
from thetaline.jobs.command_line import DateOption, DryRunOption, run_app
from thetaline.jobs.growth.answers import CohortAnswers, read_growth_answers
from thetaline.jobs.growth.goals import SQL as GOALS_SQL, GoalResult, Goals, goal_results, read_goals, write_goals
from thetaline.jobs.growth.records import (
    NOT_FITTED,
    FitRecord,
    LineRows,
    kpi_texts,
    week_of,
    write_record,
)
from thetaline.jobs.kpis.compute import JOB as KPI_JOB
from thetaline.jobs.kpis.key_registry import declare_writer
from thetaline.jobs.runner import JobContext, Summary, run_job
from thetaline.jobs.weekly_fit import run_once
from thetaline.learning.growth import GrowthFit, GrowthSpec, LearnerLines, fit_growth
from thetaline.learning.windows import last_week_end, monday_of_number, week_number

JOB = "fit_bayesian_growth"
FORMULA = "answer ~ item + 1 + week + (week|learner) + (1|learner:topic) + walk(week|learner)"
MOST_DISTANCE = 0.5  # standard errors from the maximum, before a fit is not published
LEAST_DRAWS = 10.0
app = typer.Typer(add_completion=False)


@app.command()
def fit(date: DateOption = None, dry_run: DryRunOption = False) -> None:
    """Fit growth lines of all learners to BRMS_LOOKBACK_WEEKS weeks of answers, and the probability of their goals."""
    raise typer.Exit(run_job(JOB, work, date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.fit_bayesian_growth`."""
    return run_app(app, argv, "thetaline fit-bayesian-growth")


def work(context: JobContext) -> Summary:
    """One fit; data that carry none, or diagnostics that fail, leave a reason and earlier values as they were."""
    as_of, weeks = last_week_end(context.as_of), context.settings.brms_lookback_weeks
    bank = load_item_bank(context.conn, as_of)
    cohort = read_growth_answers(context, bank, last_week=week_of(context), weeks=weeks)
    goals = read_goals(context.conn, as_of, default_target=context.settings.metrics_default_target)
    found: list[GoalResult] = []

    def fitted() -> FitRecord:
        fit = fit_growth(cohort.answers, GrowthSpec(now_week=week_number(week_of(context))))
        why = fault(fit)
        if why:
            return FitRecord(meta=_meta(fit), status=NOT_FITTED, reason=f"not fitted because {why}")
        found.append(goal_results(fit, cohort.learner_no, goals))
        return _record(context, fit, cohort, goals, found[0])

    def write(run_id: str, record: FitRecord) -> None:
        lock_items(context.conn, bank.run_id)
        write_record(context, run_id, record, statement="insert_brms_meta", update_kpis=True)
        if found:
            write_goals(context.conn, run_id, goals, found[0])

    fingerprint = cohort.fingerprint(bank.run_id, weeks, _goal_texts(goals))
    summary = run_once(context, fingerprint, fitted, write, items_run=bank.run_id)
    if not context.dry_run:
        _yield_goals(context)
    return summary


def fault(fit: GrowthFit) -> str | None:
    """Why a fit is not published: there is none, or its diagnostics say that it is not where it should be."""
    if fit.learners is None:
        return fit.reason
    if not fit.diagnostics.distance <= MOST_DISTANCE:
        return f"the search stopped {fit.diagnostics.distance:.2f} standard errors from the maximum"
    if fit.diagnostics.effective_draws < LEAST_DRAWS:
        return f"{fit.diagnostics.effective_draws:.1f} effective draws of the parameters are fewer than {LEAST_DRAWS:g}"
    if not all(np.isfinite(getattr(fit.learners, name)).all() for name in ("level", "slope", "sd_level", "sd_slope")):
        return "some learners have no finite line"
    return None


def _yield_goals(context: JobContext) -> None:
    """P of the week's rows follows the goals' new probability, in the name of the KPI job, which owns the key."""
    declare_writer(context.conn, KPI_JOB)
    as_of = last_week_end(context.as_of)
    context.conn.execute(GOALS_SQL["yield_to_growth"], {"as_of": as_of, "week_start": week_of(context)})


def _record(context: JobContext, fit: GrowthFit, cohort: CohortAnswers, goals: Goals, found: GoalResult) -> FitRecord:
    everybody = fit.lines()
    answered = everybody.n_answers > 0
    lines = _rows(cohort.learner_no, everybody).where(answered)
    summary = {
        "n_learners": int(answered.sum()),
        "n_answers": fit.diagnostics.n_answers,
        "n_goals": int(goals.target.size),
        "n_goals_with_probability": int(np.isfinite(found.at_date).sum()),
        "slope": float(fit.fixed.estimate[fit.fixed.names.index("slope")]),
        "slope_sd": fit.spreads.slope_sd,
    }
    texts = kpi_texts(
        {
            "growth_level": lines.level,
            "growth_level_se": lines.level_se,
            "growth_slope": lines.slope,
            "growth_slope_se": lines.slope_se,
            "growth_trend": np.where(everybody.bent[answered], "plateau", "line").astype(object),
            **_of_learners(lines.learner_no, goals, found),
        },
        growth_as_of=str(last_week_end(context.as_of)),
    )
    reason = f"simplified: without {fit.reason}" if fit.reason else None
    return FitRecord(meta=_meta(fit), status=str(fit.status), reason=reason, summary=summary, lines=lines, kpis=texts)


def _rows(learner_no: Int32s, lines: LearnerLines) -> LineRows:
    bends = np.full(learner_no.size, np.datetime64("NaT"), "datetime64[D]")
    bends[lines.bent] = [np.datetime64(monday_of_number(int(week))) for week in lines.bend_week[lines.bent]]
    return LineRows(
        learner_no=learner_no,
        level=lines.level,
        level_se=lines.sd_level,
        slope=lines.slope,
        slope_se=lines.sd_slope,
        n_weeks=lines.n_weeks,
        correlation=lines.correlation,
        bend_week=bends,
    )


def _of_learners(learner_no: Int32s, goals: Goals, found: GoalResult) -> dict[str, NDArray[Any]]:
    """(N,) the learner's goals together: mean probability where all have one, else the first reason."""
    place = np.searchsorted(learner_no, goals.learner_no)
    mine = (place < learner_no.size) & (learner_no[np.minimum(place, learner_no.size - 1)] == goals.learner_no)
    place, size = place[mine], learner_no.size
    n = np.bincount(place, minlength=size)
    means = {name: _mean(place, values[mine], n) for name, values in (("at", found.at_date), ("ever", found.ever))}
    stopped = np.full(size, None, object)
    withheld = found.reason[mine] != ""
    stopped[place[withheld][::-1]] = found.reason[mine][withheld][::-1]
    return {"goal_probability": means["at"], "goal_ever_probability": means["ever"], "goal_stopped": stopped}


def _mean(place: NDArray[np.intp], values: Array, n: NDArray[np.intp]) -> Array:
    total = np.bincount(place, values, n.size)
    return np.asarray(np.divide(total, n, out=np.full(n.size, np.nan), where=n > 0))


def _meta(fit: GrowthFit) -> Mapping[str, object]:
    effects = zip(fit.fixed.names, fit.fixed.estimate.tolist(), fit.fixed.se.tolist(), strict=True)
    return {
        "formula": FORMULA,
        "priors": asdict(fit.spec.priors),
        "posterior_summary": {
            "fixed": {name: {"estimate": estimate, "se": se} for name, estimate, se in effects},
            "spreads": _finite(fit.spreads._asdict()),
            "spreads_se": _finite(fit.spreads_se._asdict()),
            "log_likelihood": fit.log_likelihood if math.isfinite(fit.log_likelihood) else None,
        },
        "diagnostics": {**_finite(asdict(fit.diagnostics)), "cycles": fit.cycles, "dropped": list(fit.dropped)},
    }


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _goal_texts(goals: Goals) -> str:
    rows = zip(goals.learner_no, goals.topic_id, goals.target, goals.target_date, strict=True)
    return repr([(int(number), topic, float(target), str(day)) for number, topic, target, day in rows])
