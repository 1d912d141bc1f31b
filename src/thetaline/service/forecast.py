"""POST /prophet/fit and /forecast/summary: a request's weeks as series, forecast, as JSON."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from thetaline.api.forecast import ForecastRequest, WeekRow
from thetaline.errors import NotFittedError
from thetaline.jobs.forecast.rows import values_ahead
from thetaline.jobs.forecast.weekly import INTENDED_USE
from thetaline.learning._types import Array, Mask
from thetaline.learning.forecast import (
    MIN_WEEKS,
    MOST_WEEKS,
    NO_CHANGE,
    Metric,
    Panel,
    PanelForecast,
    anomalies,
    forecast_panel,
    week_calendar,
)
from thetaline.learning.windows import monday, monday_of_number, week_number
from thetaline.service.free_days import free_days
from thetaline.service.http_errors import ApiError, method_failures_as_422

MOST_CELLS = 5_000_000  # series times weeks
WEEK_DAYS = 7
BOUNDS = {Metric.ACCURACY: (0.0, 1.0), Metric.I_T: (-1.0, 1.0), Metric.ACTIVITY: (0.0, np.inf)}


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """The series of a request, in the order of first appearance, and their forecasts."""

    names: list[str]
    first_week: int  # number of the panel's first week
    panel: Panel
    fit: PanelForecast
    alarms: Mask

    def week(self, position: int) -> date:
        return monday_of_number(self.first_week + position)


def fit_json(request: ForecastRequest, *, most: int, now: datetime) -> bytes:
    """The body of a 200 of /prophet/fit. Raises 413, and a 422 that says why there is no forecast."""
    found = _fitted(request, most=most)
    body = {
        "status": "ok",
        "fit_meta": _meta(found, now),
        "forecasts": [
            {**_series(found, row), "ahead": [] if found.fit.why_not(row) else list(_ahead(found, row))}
            for row in range(len(found.names))
        ],
        "anomalies": list(_anomalies(found)),
        "changepoints": list(_changepoints(found)),
    }
    return to_json(body, inf_nan_mode="null")


def summary_json(request: ForecastRequest, *, most: int, now: datetime) -> bytes:
    """The body of a 200 of /forecast/summary. Raises 413, and a 422 that says why there is no forecast."""
    found = _fitted(request, most=most)
    changed = {one["series"]: one["week_start"] for one in _changepoints(found)}
    rows = [
        {
            **_series(found, row),
            **_next_week(found, row),
            "is_anomaly": bool(found.alarms[row]),
            "changed_on": changed.get(name),
        }
        for row, name in enumerate(found.names)
    ]
    return to_json({"status": "ok", "fit_meta": _meta(found, now), "series": rows}, inf_nan_mode="null")


def _fitted(request: ForecastRequest, *, most: int) -> _Fitted:
    if len(request.rows) > most:
        raise ApiError(413, f"{len(request.rows)} rows; at most {most} are taken in one request")
    names, first_week, panel = _panel(request)
    with method_failures_as_422("the fit"):
        fit = forecast_panel(panel, horizon=request.horizon)
        if fit.newest is None:
            raise NotFittedError(f"not fitted because {fit.reason}")
    alarms = anomalies(fit.newest.score, fit.newest.p, threshold=request.threshold)
    return _Fitted(names, first_week, panel, fit, alarms)


def _panel(request: ForecastRequest) -> tuple[list[str], int, Panel]:
    """Series in the order of first appearance, the number of their first week, their values."""
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    row = np.array([numbers[one["series"]] for one in request.rows])
    week = np.array([week_number(monday(one["week"])) for one in request.rows])
    first, n_weeks = _weeks(request, week)
    shape, metric = (len(numbers), n_weeks), Metric(request.metric)
    if n_weeks * len(numbers) > MOST_CELLS:
        raise ApiError(413, f"{shape[0]} series of {n_weeks} weeks; their product may be {MOST_CELLS} at most")
    cells = row * n_weeks + week - first
    if np.unique(cells).size < cells.size:
        raise ApiError(422, "a series has a week twice; give one value a week")
    value, size = np.full(shape, np.nan), np.full(shape, np.nan)
    value.flat[cells], size.flat[cells] = _values(metric, request.rows), _sizes(metric, request.rows)
    calendar = week_calendar(monday_of_number(first), n_weeks, free_days(request.holidays))
    share = calendar.school_days / WEEK_DAYS if metric is Metric.ACTIVITY else None
    if metric is Metric.ACTIVITY:
        size = np.maximum(calendar.school_days, 1) / WEEK_DAYS + np.zeros(shape)
        value = value / size
    return list(numbers), first, Panel(metric, value, size, calendar.left_out, share)


def _weeks(request: ForecastRequest, week: NDArray[np.integer[Any]]) -> tuple[int, int]:
    """The first week's number, and how many there are. Raises a 422 for rows after the last week, or too many weeks."""
    last = week_number(monday(request.last_week)) if request.last_week else int(week.max())
    if week.max() > last:
        raise ApiError(422, f"a week lies after last_week {request.last_week}")
    first = min(int(week.min()), last - MIN_WEEKS + 1)
    n_weeks = last - first + 1
    if n_weeks > MOST_WEEKS:
        raise ApiError(422, f"{n_weeks} weeks; at most {MOST_WEEKS} are taken, send the newest")
    return first, n_weeks


def _values(metric: Metric, rows: list[WeekRow]) -> Array:
    """Raises a 422 for one that the metric cannot have."""
    low, high = BOUNDS.get(metric, (-np.inf, np.inf))
    values = np.array([one["value"] for one in rows], float)
    outside = values[(values < low) | (values > high)]
    if outside.size:
        raise ApiError(422, f"a value of {metric} is {outside[0]:g}; it lies from {low:g} to {high:g}")
    return values


def _sizes(metric: Metric, rows: list[WeekRow]) -> Array:
    """Standard errors, of accuracy numbers of answers. Raises a 422 where one is needed and not given."""
    name = "n" if metric is Metric.ACCURACY else "se"
    given = [one.get(name) for one in rows]
    if metric in (Metric.ACCURACY, Metric.THETA) and None in given:
        raise ApiError(422, f"rows of {metric} need `{name}`; row {given.index(None)} has none")
    return np.array([np.nan if one is None else one for one in given], float)


def _meta(found: _Fitted, now: datetime) -> dict[str, object]:
    fit = found.fit
    return {
        "run_id": f"forecast-{now:%Y-%m-%dT%H:%M:%SZ}",
        "metric": str(found.panel.metric),
        "n_series": len(found.names),
        "n_forecast": int(fit.long_enough.sum()),
        "variances": fit.variances._asdict() if fit.variances else None,
        "degrees_of_freedom": fit.dof,
        "intended_use": INTENDED_USE,
    }


def _series(found: _Fitted, row: int) -> dict[str, object]:
    return {
        "series": found.names[row],
        "weeks_known": int(found.fit.weeks_known[row]),
        "reason": found.fit.why_not(row) or None,
    }


def _ahead(found: _Fitted, row: int) -> Iterator[dict[str, object]]:
    last = found.panel.left_out.size - 1
    for one in values_ahead(found.fit, row):
        yield {**one, "week_start": found.week(last + int(one["horizon"]))}


def _next_week(found: _Fitted, row: int) -> dict[str, float | None]:
    names = ("next_mean", "next_low_80", "next_high_80", "change_ahead")
    if found.fit.why_not(row):
        return dict.fromkeys(names)
    ahead = values_ahead(found.fit, row)
    first, change = ahead[0], ahead[-1]["mean"] - ahead[0]["mean"]
    values = (first["mean"], first["low_80"], first["high_80"], change)
    return dict(zip(names, values, strict=True))


def _anomalies(found: _Fitted) -> Iterator[dict[str, object]]:
    newest = found.fit.newest
    if newest is None:
        return
    week = found.week(found.panel.left_out.size - 1)
    for row in np.flatnonzero(found.alarms).tolist():
        columns = (newest.value[row], newest.expected[row], newest.score[row], newest.p[row])
        values = dict(zip(("value", "expected", "anomaly_score", "p_value"), map(float, columns), strict=True))
        yield {"series": found.names[row], "week_start": week, **values}


def _changepoints(found: _Fitted) -> Iterator[dict[str, object]]:
    changes = found.fit.changes
    if changes is None:
        return
    for row in np.flatnonzero(changes.week != NO_CHANGE).tolist():
        week = found.week(int(changes.week[row]))
        yield {
            "series": found.names[row],
            "week_start": week,
            "size": float(changes.size[row]),
            "p": float(changes.p[row]),
        }
