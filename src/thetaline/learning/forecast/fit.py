"""Weekly series one to four weeks ahead, their newest week against its forecast, and where their level changed."""

from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import InputError
from thetaline.learning._types import Array, Index, Mask
from thetaline.learning.forecast.change_points import NO_CHANGE, Changes, change_points
from thetaline.learning.forecast.kalman import Filtered, State, TrendVariances, run_filter
from thetaline.learning.forecast.pooling import SPREAD_OF_EACH, pooled_dof, pooled_variances
from thetaline.learning.forecast.result import LEVELS, Forecasts, PanelForecast, WeekTest
from thetaline.learning.forecast.scales import Scale
from thetaline.learning.forecast.series import MIN_WEEKS, Panel, check_panel
from thetaline.learning.forecast.student_t import quantile, sd, two_sided

MOST_WEEKS_AHEAD = 4
T = TypeVar("T", bound=np.generic)
# Probabilities whose quantiles stand for a distribution where its moments are carried back to the metric's units.
MIDPOINTS = (np.arange(40) + 0.5) / 40


def forecast_panel(panel: Panel, *, horizon: int = MOST_WEEKS_AHEAD) -> PanelForecast:
    """Forecasts of every series with four known weeks at least, by a model whose variances all of them share.

    The variances are estimated from the weeks before the newest one, so that its test is out of sample. What cannot
    be fitted is a result with the reason. Raises InputError for a horizon out of 1 to 4 and weeks out of 4 to 104.
    """
    check_panel(panel)
    if not 1 <= horizon <= MOST_WEEKS_AHEAD:
        raise InputError(f"{horizon} weeks ahead; give 1 to {MOST_WEEKS_AHEAD}")
    known = panel.known
    weeks_known = known.sum(axis=1)
    reason = why_not(panel)
    if reason:
        return PanelForecast(weeks_known, reason=reason)
    rows = np.flatnonzero(weeks_known >= MIN_WEEKS)
    series = _model_series(panel, rows)
    y, sampling, known = series.y, series.sampling, series.known
    variances = pooled_variances(y[:, :-1], sampling[:, :-1], known[:, :-1])
    dof = pooled_dof(y[:, :-1], sampling[:, :-1], known[:, :-1], variances)
    found = run_filter(y, sampling, known, variances, dof=dof)
    ahead = _ahead(series, found.state, variances, dof, horizon)
    changes = _in_units(change_points(found, known, dof), series)
    n = len(panel.value)
    return PanelForecast(
        weeks_known,
        forecasts=Forecasts(*(_of_all(one, rows, n) for one in ahead)),
        newest=WeekTest(*(_of_all(one, rows, n) for one in _newest_week(series, found))),
        changes=Changes(
            _of_all(changes.week, rows, n, NO_CHANGE), _of_all(changes.size, rows, n), _of_all(changes.p, rows, n)
        ),
        variances=variances,
        dof=dof,
    )


def why_not(panel: Panel) -> str:
    """Words for what has no forecast; empty where there is one."""
    known = panel.known
    enough = known.sum(axis=1) >= MIN_WEEKS
    if not enough.any():
        return f"none of {len(enough)} series has at least {MIN_WEEKS} known weeks"
    before = panel.value[enough, :-1][known[enough, :-1]]
    if np.ptp(before) <= SPREAD_OF_EACH:
        return f"all values before the newest week are {before[0]:g}"
    return ""


class _ModelSeries(NamedTuple):
    """The series that are long enough, on the model's scale."""

    scale: Scale
    y: Array
    sampling: Array
    known: Mask
    value: Array
    size: Array
    usual: Array  # (N,) size of a coming week
    newest_share: float


def _model_series(panel: Panel, rows: Index) -> _ModelSeries:
    value, size, known, scale = panel.value[rows], panel.size[rows], panel.known[rows], panel.metric.scale
    y, sampling = scale.to_model(np.where(known, value, 0.0), np.where(known, size, 1.0))
    return _ModelSeries(scale, y, sampling, known, value, size, panel.usual_size()[rows], panel.newest_share)


class _Moments(NamedTuple):
    mean: Array
    sd: Array


def _ahead(
    series: _ModelSeries, state: State, variances: TrendVariances, dof: float, horizon: int
) -> tuple[Array, Array, Array]:
    """Mean and sd (N, H) and bounds (N, H, 4); the state is moved to the last week ahead."""
    sampling = series.scale.to_model(np.zeros_like(series.usual), series.usual)[1]
    degrees, scale2 = state.dof(dof), state.scale2(dof)
    quantiles = quantile(np.array(LEVELS), degrees[:, None])
    columns = []
    for _ in range(horizon):
        state.advance(variances)
        spread = np.sqrt((state.p11 + variances.noise + sampling) * scale2)
        mean, deviation = _moments(series.scale, state.level, spread, degrees, series.usual)
        y = state.level[:, None] + spread[:, None] * quantiles
        columns.append((mean, deviation, series.scale.from_model(y, series.usual[:, None])))
    means, deviations, bounds = zip(*columns, strict=True)
    return np.stack(means, axis=1), np.stack(deviations, axis=1), np.stack(bounds, axis=1)


def _moments(scale: Scale, level: Array, spread: Array, dof: Array, size: Array) -> _Moments:
    """Of t distributions with these levels and scales, (N,) each, carried back to the metric's units."""
    kinds, kind = np.unique(dof, return_inverse=True)
    points = quantile(MIDPOINTS, kinds[:, None])
    points *= (sd(kinds) / points.std(axis=1))[:, None]  # so that the sd is exact where the scale is straight
    values = scale.from_model(level[:, None] + spread[:, None] * points[kind], size[:, None])
    return _Moments(values.mean(axis=1), values.std(axis=1))


def _newest_week(series: _ModelSeries, found: Filtered) -> tuple[Array, Array, Array, Array]:
    """Value, expected value, score and p of the newest week, NaN where there are too few weeks before it."""
    known = series.known
    tested = known[:, -1] & (known[:, :-1].sum(axis=1) >= MIN_WEEKS)
    scale, dof = np.sqrt(found.scale2[:, -1]), found.dof[:, -1]
    t = found.z[:, -1] / scale
    spread = np.sqrt(found.variance[:, -1]) * scale
    value, size = series.value[:, -1], np.where(tested, series.size[:, -1], 1.0)
    expected = _moments(series.scale, found.mean[:, -1], spread, dof, size).mean
    given = np.where(tested, value, 0.0)
    p = np.fmax(two_sided(t, dof), series.scale.least_p(given, expected, size))
    if series.newest_share < 1:
        t_worked, least = _worked_through(series, found, given, expected, size)
        p = np.where(t > 0, np.fmax(two_sided(t_worked, dof), least), p)
        t = np.where(t > 0, t_worked, t)
    value, expected, score, p = (np.where(tested, one, np.nan) for one in (value, expected, t / sd(dof), p))
    return value, expected, score, p


def _worked_through(
    series: _ModelSeries, found: Filtered, value: Array, expected: Array, size: Array
) -> tuple[Array, Array]:
    """t (N,), 0 at least, and least p of a week with free days if they were worked through as in any other week.

    Counted by school day such a week is much; that nobody kept the holiday is no anomaly of a learner.
    """
    rate, exposure = value * series.newest_share, size / series.newest_share
    y, sampling = series.scale.to_model(rate, exposure)
    variance = found.variance[:, -1] - np.where(series.known[:, -1], series.sampling[:, -1], 0.0) + sampling
    t = (y - found.mean[:, -1]) / np.sqrt(variance * found.scale2[:, -1])
    return np.maximum(t, 0.0), np.where(rate > expected, series.scale.least_p(rate, expected, exposure), 1.0)


def _in_units(changes: Changes, series: _ModelSeries) -> Changes:
    """Sizes from the model's scale: of a step from the mean before the change."""
    before = series.known & (np.arange(series.y.shape[1]) < changes.week[:, None])
    level = np.where(before, series.y, 0.0).sum(axis=1) / np.maximum(before.sum(axis=1), 1)
    steps = [series.scale.from_model(one, series.usual) for one in (level, level + changes.size)]
    return replace(changes, size=steps[1] - steps[0])


def _of_all(column: NDArray[T], rows: Index, n: int, absent: float = np.nan) -> NDArray[T]:
    """(n, …) with the values of some rows, the others absent."""
    found = np.full((n, *column.shape[1:]), absent, column.dtype)
    found[rows] = column
    return found
