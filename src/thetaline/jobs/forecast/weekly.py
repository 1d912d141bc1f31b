"""The job `forecast_prophet`: weekly series up to four weeks ahead, the anomalies of the newest week, changes of level.

The name is the contract's; the model is a Kalman filter that did better than Prophet (docs/decisions/0711).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import typer

from thetaline import db
from thetaline.db.bulk import copy_rows
from thetaline.jobs.abilities.estimates import lock_items
from thetaline.jobs.command_line import DateOption, DryRunOption, run_app
from thetaline.jobs.forecast.panels import SchoolSeries, read_series
from thetaline.jobs.forecast.rows import MetricFit, Table, all_rows, meta_of
from thetaline.jobs.runner import JobContext, Summary, run_job
from thetaline.jobs.weekly_fit import run_once
from thetaline.learning.forecast import Metric, alarms_of_week, forecast_panel
from thetaline.learning.windows import last_week_end

JOB = "forecast_prophet"
INTENDED_USE = (
    "For teachers and staff: to see what the coming weeks will show, and to ask why a week was unlike the ones before. "
    "Never shown to learners, never a reason to grade, admit or exclude anybody; intervals are of what is measured."
)
FITTED, NOT_FITTED = "fitted", "not fitted"
SQL = db.sql("jobs/forecast/weekly.sql")
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRecord:
    """What a run leaves; of a metric without forecasts those of the run before stay, and so of all where none has."""

    metas: Sequence[Mapping[str, object]]
    reason: str | None
    summary: Mapping[str, object] = field(default_factory=dict)
    tables: Sequence[Table] = ()

    @property
    def status(self) -> str:
        """Whether any metric has forecasts."""
        return FITTED if self.tables else NOT_FITTED

    @property
    def is_published(self) -> bool:
        """Whether any metric has forecasts."""
        return bool(self.tables)


@app.command()
def forecast(date: DateOption = None, dry_run: DryRunOption = False) -> None:
    """Forecast θ, I_t, accuracy and activity of learners, classrooms and everybody PROPHET_FORECAST_WEEKS ahead."""
    raise typer.Exit(run_job(JOB, work, date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.forecast_prophet`."""
    return run_app(app, argv, "thetaline forecast-prophet")


def work(context: JobContext) -> Summary:
    """One run; series that carry no forecast leave the reason in the meta table and earlier values as they were."""
    as_of, settings = last_week_end(context.as_of), context.settings
    series = read_series(context, as_of)
    threshold = settings.prophet_anomaly_threshold

    def fitted() -> ForecastRecord:
        return record_of(series, horizon=settings.prophet_forecast_weeks, threshold=threshold)

    def write(run_id: str, record: ForecastRecord) -> None:
        if series.items_run is not None:
            lock_items(context.conn, series.items_run)
        shared = {"run_id": run_id, "fitted_at": context.now, "intended_use": INTENDED_USE}
        for meta in record.metas:
            context.conn.execute(SQL["insert_meta"], {**shared, **meta})
        for table in record.tables:
            copy_rows(context.conn, table.name, ["run_id", *table.columns], [run_id, *table.arrays])

    fingerprint = series.fingerprint(settings.prophet_forecast_weeks, threshold)
    return run_once(context, fingerprint, fitted, write, items_run=series.items_run)


def record_of(series: SchoolSeries, *, horizon: int, threshold: float) -> ForecastRecord:
    """Forecasts of every metric; the false discoveries of the week's anomalies are controlled over all of them."""
    found = [
        MetricFit(
            metric, forecast_panel(series.learners[metric], horizon=horizon), forecast_panel(panel, horizon=horizon)
        )
        for metric, panel in series.cohorts.items()
    ]
    alarms = alarms_of_week([part for fit in found for part in (fit.learners, fit.cohorts)], threshold=threshold)
    fits = [
        fit._replace(learner_alarms=alarms[2 * at], cohort_alarms=alarms[2 * at + 1]) for at, fit in enumerate(found)
    ]
    without = {str(fit.metric): fit.reason for fit in fits if fit.reason}
    reason = "; ".join(f"{metric} not fitted because {why}" for metric, why in without.items()) or None
    metas = [meta_of(series, fit) for fit in fits]
    if len(without) == len(Metric):
        return ForecastRecord(metas=metas, reason=reason)
    tables = all_rows(series, fits)
    return ForecastRecord(metas=metas, reason=reason, summary=_summary(fits, without), tables=tables)


def _summary(fits: Sequence[MetricFit], without: Mapping[str, str]) -> dict[str, object]:
    parts = [part for fit in fits for part in (fit.learners, fit.cohorts)]
    return {
        "n_series": sum(part.weeks_known.size for part in parts),
        "n_forecast": sum(int(part.long_enough.sum()) for part in parts),
        "n_anomalies": sum(int(fit.learner_alarms.sum() + fit.cohort_alarms.sum()) for fit in fits),
        "n_changed": sum(int(part.changes.found.sum()) for part in parts if part.changes),
        "metrics": [str(fit.metric) for fit in fits if str(fit.metric) not in without],
    }
