"""The job `fit_growth_glmm`: a mixed model of weekly θ over calendar weeks, with the known error of each θ."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import typer
from numpy.typing import DTypeLike, NDArray

from thetaline import db
from thetaline.db.bulk import read_columns
from thetaline.errors import JobError, NotFittedError
from thetaline.jobs.abilities.estimates import ItemsRetractedError
from thetaline.jobs.command_line import DateOption, DryRunOption, run_app
from thetaline.jobs.growth.records import (
    NOT_FITTED,
    FitRecord,
    LineRows,
    kpi_texts,
    week_of,
    write_record,
)
from thetaline.jobs.runner import JobContext, Summary, run_job
from thetaline.jobs.weekly_fit import run_once
from thetaline.learning.mixed_model import GroupEffects, MixedFit, calendar_weeks, fit_mixed
from thetaline.learning.windows import last_week_end

JOB = "fit_growth_glmm"
FORMULA = "score ~ week + (week|student)"
SQL = db.sql("jobs/growth/mixed.sql")
COLUMNS: dict[str, DTypeLike] = {
    "learner_no": np.int32,
    "week_start": "datetime64[D]",
    "theta": np.float64,
    "se": np.float64,
}
Rows = Mapping[str, NDArray[Any]]
app = typer.Typer(add_completion=False)


@app.command()
def fit(date: DateOption = None, dry_run: DryRunOption = False) -> None:
    """Fit the growth of all learners to their weekly θ, of GLMM_LOOKBACK_WEEKS weeks up to the last that is over."""
    raise typer.Exit(run_job(JOB, work, date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.fit_growth_glmm`."""
    return run_app(app, argv, "thetaline fit-growth-glmm")


def work(context: JobContext) -> Summary:
    """One fit; data that carry none leave the reason in the meta table and earlier values as they were."""
    weekly_run, items_run = _weekly_run(context)
    weeks = context.settings.glmm_lookback_weeks
    parameters = {"run_id": weekly_run, "last_week": week_of(context), "weeks": weeks}
    digest = hashlib.sha256(f"{weekly_run} {weeks} {context.settings.glmm_min_observations}".encode()).hexdigest()

    def fitted() -> FitRecord:
        return _fit(context, read_columns(context.url, SQL["weekly_scores"], COLUMNS, parameters=parameters))

    def write(run_id: str, record: FitRecord) -> None:
        _lock(context, weekly_run)
        update = context.settings.glmm_update_kpi
        write_record(context, run_id, record, statement="insert_glmm_meta", update_kpis=update)

    return run_once(context, digest, fitted, write, items_run=items_run)


def _weekly_run(context: JobContext) -> tuple[str, str]:
    """The published run of the last week that is over. Raises JobError."""
    as_of = last_week_end(context.as_of)
    row = context.conn.execute(SQL["newest_weekly_run"], {"as_of": as_of}).fetchone()
    if row is None:
        raise JobError(f"there is no weekly θ up to {as_of}; run `thetaline weekly-theta --date {as_of}` first")
    return row[0], row[1]


def _lock(context: JobContext, weekly_run: str) -> None:
    row = context.conn.execute(SQL["lock_weekly_run"], {"run_id": weekly_run}).fetchone()
    if row is None or not row[0]:
        raise ItemsRetractedError(f"{weekly_run} was retracted while growth was fitted; nothing is stored, start again")


def _fit(context: JobContext, rows: Rows) -> FitRecord:
    n, least = rows["theta"].size, context.settings.glmm_min_observations
    if n < least:
        return _none(f"there are {n} of at least {least} weekly θ (GLMM_MIN_OBSERVATIONS)")
    now = np.datetime64(week_of(context))
    columns = {"score": rows["theta"], "week": calendar_weeks(rows["week_start"], now), "student": rows["learner_no"]}
    try:
        found = fit_mixed(FORMULA, columns, error_variance=np.square(rows["se"]))
    except NotFittedError as error:
        return _none(str(error))
    return _record(context, found, rows)


def _none(reason: str) -> FitRecord:
    meta = {"formula": FORMULA, "fixed_effects": [], "random_effects_summary": {}, "fit_metrics": {}}
    return FitRecord(meta=meta, status=NOT_FITTED, reason=f"not fitted because {reason}")


def _record(context: JobContext, found: MixedFit, rows: Rows) -> FitRecord:
    effects = found.effects("student")
    lines = None if effects is None or len(effects.names) < 2 else _lines(found, effects, rows)
    why = "; ".join([*(f"{one.formula} is {one.reason}" for one in found.fell_back_from), *found.notes]) or None
    meta = {
        "formula": str(found.formula),
        "fixed_effects": [one._asdict() for one in found.coefficients],
        "random_effects_summary": {
            **{one.group: one.as_json() for one in found.groups},
            "residual": {"sd": found.residual_sd},
        },
        "fit_metrics": {**found.metrics, "n": found.n, "REML": found.reml},
    }
    summary = {"n_observations": found.n, "formula": str(found.formula), "slope": found.coefficients[1].estimate}
    status = "simplified" if found.fell_back_from else "fitted"
    if lines is None:
        return FitRecord(meta=meta, status=status, reason=f"no slopes of learners: {why}", summary=summary)
    texts = kpi_texts({"glmm_slope": lines.slope, "glmm_slope_se": lines.slope_se}, glmm_as_of=_day(context))
    return FitRecord(meta=meta, status=status, reason=why, summary=summary, lines=lines, kpis=texts)


def _lines(found: MixedFit, effects: GroupEffects, rows: Rows) -> LineRows:
    """Level in the last week and slope: the mean line and the learner's BLUPs, errors of both added."""
    mean = np.array([one.estimate for one in found.coefficients])
    se = np.hypot(effects.se, [one.se for one in found.coefficients])
    values = mean + effects.values
    n_weeks = np.bincount(np.searchsorted(effects.levels, rows["learner_no"]), minlength=effects.levels.size)
    return LineRows(
        effects.levels.astype(np.int32), values[:, 0], se[:, 0], values[:, 1], se[:, 1], n_weeks.astype(np.int32)
    )


def _day(context: JobContext) -> str:
    return str(last_week_end(context.as_of))
