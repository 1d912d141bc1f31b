"""What is stored of the forecasts of a run: a row a metric, a series, a week ahead, an anomaly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.db.jsonb import to_json
from thetaline.jobs.arrays import Array, Mask
from thetaline.jobs.forecast.panels import SchoolSeries
from thetaline.learning.forecast import Metric, PanelForecast

NOBODY: Mask = np.zeros(0, bool)
BOUNDS = ("low_95", "low_80", "high_80", "high_95")
SERIES_COLUMNS = (
    "series_no", "metric", "learner_no", "classroom_id", "weeks_known", "reason", "changed_on", "change", "change_p",
)  # fmt: skip
VALUE_COLUMNS = ("series_no", "horizon", "mean", "sd", *BOUNDS)
ANOMALY_COLUMNS = ("series_no", "value", "expected", "anomaly_score", "p_value")


class MetricFit(NamedTuple):
    """The forecasts of a metric, of learners and of cohorts, and which of their newest weeks are alarms."""

    metric: Metric
    learners: PanelForecast
    cohorts: PanelForecast
    learner_alarms: Mask = NOBODY
    cohort_alarms: Mask = NOBODY

    @property
    def reason(self) -> str:
        """Why there is no forecast at all; empty where there is one."""
        return self.learners.reason if not (self.learners.is_fitted or self.cohorts.is_fitted) else ""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of a table of a run, by column; `run_id` comes before them."""

    name: str
    columns: tuple[str, ...]
    arrays: Sequence[NDArray[Any]]


class _Part(NamedTuple):
    """The series of learners, or of cohorts, of a metric; numbers go on from `first`."""

    metric: Metric
    fit: PanelForecast
    alarms: Mask
    first: int
    learner_no: NDArray[Any]  # (N,) objects, None of a cohort
    classroom: NDArray[Any]


def meta_of(series: SchoolSeries, fit: MetricFit) -> dict[str, object]:
    """The row of `prophet_fit_meta`."""
    return {
        "metric": str(fit.metric),
        "changepoints": to_json(_changepoints(series, fit.cohorts)),
        "forecast": to_json(_forecast(series, fit.cohorts)),
        "metrics": to_json(
            {
                "learners": _metrics(fit.learners, fit.learner_alarms),
                "cohorts": _metrics(fit.cohorts, fit.cohort_alarms),
            }
        ),
        "status": "not fitted" if fit.reason else "fitted",
        "reason": f"not fitted because {fit.reason}" if fit.reason else None,
    }


def all_rows(series: SchoolSeries, fits: Sequence[MetricFit]) -> list[Table]:
    """Of every metric with a forecast: its series, their weeks ahead, their anomalies."""
    parts = list(_parts(series, [fit for fit in fits if not fit.reason]))
    return [
        Table("forecast_series", SERIES_COLUMNS, _joined([_series_rows(series, part) for part in parts])),
        Table("forecast_value", VALUE_COLUMNS, _joined([_value_rows(part) for part in parts])),
        Table("forecast_anomaly", ANOMALY_COLUMNS, _joined([_anomaly_rows(part) for part in parts])),
    ]


def _parts(series: SchoolSeries, fits: Sequence[MetricFit]) -> Iterator[_Part]:
    n, n_cohorts, first = series.learner_no.size, len(series.classrooms), 0
    nobody, nowhere = np.full(n_cohorts, None, object), np.full(n, None, object)
    for fit in fits:
        yield _Part(fit.metric, fit.learners, fit.learner_alarms, first, series.learner_no.astype(object), nowhere)
        classrooms = np.array(series.classrooms, object)
        yield _Part(fit.metric, fit.cohorts, fit.cohort_alarms, first + n, nobody, classrooms)
        first += n + n_cohorts


def _joined(rows: Sequence[Sequence[NDArray[Any]]]) -> list[NDArray[Any]]:
    return [np.concatenate(columns) for columns in zip(*rows, strict=True)]


def _series_rows(series: SchoolSeries, part: _Part) -> list[NDArray[Any]]:
    n, changes = part.fit.weeks_known.size, part.fit.changes
    changed_on, size, p = np.full(n, None, object), np.full(n, np.nan), np.full(n, np.nan)
    if changes is not None:
        found = np.flatnonzero(changes.found)
        changed_on[found] = [str(series.monday(week)) for week in changes.week[found].tolist()]
        size, p = changes.size, changes.p
    reasons = np.array([part.fit.why_not(row) or None for row in range(n)], object)
    numbers = part.first + np.arange(n)
    metric = np.full(n, str(part.metric), object)
    known = part.fit.weeks_known.astype(np.int16)
    return [numbers, metric, part.learner_no, part.classroom, known, reasons, changed_on, size, p]


def _value_rows(part: _Part) -> list[NDArray[Any]]:
    ahead, some = part.fit.forecasts, np.flatnonzero(part.fit.long_enough)
    if ahead is None:
        return [np.empty(0, int), np.empty(0, int), *[np.empty(0) for _ in VALUE_COLUMNS[2:]]]
    horizon = ahead.mean.shape[1]
    bounds = ahead.bounds[some].reshape(-1, len(BOUNDS)).T
    numbers, weeks = np.repeat(part.first + some, horizon), np.tile(np.arange(1, horizon + 1), some.size)
    return [numbers, weeks, ahead.mean[some].ravel(), ahead.sd[some].ravel(), *bounds]


def _anomaly_rows(part: _Part) -> list[NDArray[Any]]:
    newest, some = part.fit.newest, np.flatnonzero(part.alarms)
    if newest is None:
        return [np.empty(0, int), *[np.empty(0) for _ in ANOMALY_COLUMNS[1:]]]
    return [part.first + some, *(column[some] for column in (newest.value, newest.expected, newest.score, newest.p))]


def _changepoints(series: SchoolSeries, cohorts: PanelForecast) -> list[dict[str, object]]:
    changes = cohorts.changes
    if changes is None:
        return []
    return [
        {
            "classroom_id": series.classrooms[row],
            "week_start": series.monday(int(changes.week[row])),
            "size": changes.size[row],
            "p": changes.p[row],
        }
        for row in np.flatnonzero(changes.found).tolist()
    ]


def _forecast(series: SchoolSeries, cohorts: PanelForecast) -> dict[str, object]:
    """The coming weeks, and what they will show of every cohort; or why not."""
    ahead, n_weeks = cohorts.forecasts, len(series.ahead.left_out)
    first = len(next(iter(series.learners.values())).left_out)
    weeks = [
        {
            "week_start": series.monday(first + week),
            "school_days": int(series.ahead.school_days[week]),
            "is_left_out": bool(series.ahead.left_out[week]),
        }
        for week in range(n_weeks)
    ]
    rows = [
        {
            "classroom_id": classroom,
            "weeks_known": int(cohorts.weeks_known[row]),
            "reason": cohorts.why_not(row) or None,
            "ahead": [] if ahead is None or cohorts.why_not(row) else values_ahead(cohorts, row),
        }
        for row, classroom in enumerate(series.classrooms)
    ]
    return {"weeks": weeks, "cohorts": rows}


def values_ahead(fit: PanelForecast, row: int) -> list[dict[str, float]]:
    """The forecasts of one series as objects, the next week first."""
    if fit.forecasts is None:
        return []
    ahead = fit.forecasts
    columns: Array = np.column_stack([ahead.mean[row], ahead.sd[row], ahead.bounds[row]])
    names = ("mean", "sd", *BOUNDS)
    return [
        {"horizon": week, **dict(zip(names, values, strict=True))} for week, values in enumerate(columns.tolist(), 1)
    ]


def _metrics(fit: PanelForecast, alarms: Mask) -> dict[str, object]:
    return {
        "n_series": fit.weeks_known.size,
        "n_forecast": int(fit.long_enough.sum()),
        "n_changed": int(fit.changes.found.sum()) if fit.changes else 0,
        "n_tested": int(np.isfinite(fit.newest.p).sum()) if fit.newest else 0,
        "n_anomalies": int(alarms.sum()),
        "degrees_of_freedom": fit.dof,
        "variances": fit.variances._asdict() if fit.variances else None,
        "reason": fit.reason or None,
    }
