"""Which forecast of short weekly series is best: rolling origins over simulated learners, by length of the series.

python -m benchmarks.forecast_backtest [series [metric]]: of each metric and range of lengths, MASE, CRPS (of five
quantiles, in units of the same mean absolute step), coverage of 80 and 95 % intervals over one to four weeks ahead, and
milliseconds of processor a series (without the process that Prophet starts). Prophet and statsforecast take part where
they are installed (extra `forecast-candidates`). All candidates forecast the same weeks of the same series; the filter
pools its variances over 1,200 learners of all kinds, "alone" over none; alone it forecasts the first 18.
"""

import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np

from benchmarks import forecast_candidates as candidates
from benchmarks.forecast_candidates import LEVELS, Spread
from benchmarks.simulated_weeks import simulated_weeks
from thetaline.errors import NotFittedError
from thetaline.learning.forecast import MIN_WEEKS, Metric, Panel, forecast_panel

HORIZON = 4
POOL = 1_200
ORIGINS = {"4–6": (4, 5, 6), "7–12": (8, 10, 12), "13–26": (16, 20, 24), "27–104": (40, 70, 100)}
BOUNDS = {Metric.ACCURACY: (0.0, 1.0), Metric.ACTIVITY: (0.0, np.inf), Metric.I_T: (-1.0, 1.0)}
N_ALONE = 18  # series that the filter alone forecasts: it takes longest
Candidate = Callable[[Panel, np.ndarray], Spread]


def filtered(panel: Panel, rows: np.ndarray) -> Spread:
    """The filter with variances pooled over all series of the panel."""
    fit = forecast_panel(panel, horizon=HORIZON)
    found = fit.forecasts
    if found is None:
        raise NotFittedError(fit.reason)
    five = np.concatenate([found.bounds[..., :2], found.mean[..., None], found.bounds[..., 2:]], axis=2)
    return Spread(found.mean[rows], five[rows])


def alone(panel: Panel, rows: np.ndarray) -> Spread:
    """The filter for one series at a time."""
    parts = [
        filtered(Panel(panel.metric, panel.value[[row]], panel.size[[row]], panel.left_out), np.array([0]))
        for row in rows
    ]
    return Spread(np.concatenate([one.mean for one in parts]), np.concatenate([one.quantiles for one in parts]))


def single(method: Callable[[np.ndarray, int], Spread]) -> Candidate:
    """A method for single series, its forecasts clamped to the metric's bounds."""

    def candidate(panel: Panel, rows: np.ndarray) -> Spread:
        history = np.where(panel.known, panel.value, np.nan)[rows]
        low, high = BOUNDS.get(panel.metric, (-np.inf, np.inf))
        return Spread(*(np.clip(one, low, high) for one in method(history, HORIZON)))

    return candidate


def all_candidates() -> Iterator[tuple[str, Candidate]]:
    yield "Kalman filter, pooled", filtered
    yield "Kalman filter, alone", alone
    yield "naive", single(candidates.naive)
    yield "mean", single(candidates.mean)
    if find_spec("statsforecast"):
        yield "AutoETS", single(candidates.auto_ets)
        yield "ETS, damped trend", single(candidates.damped_trend)
        yield "Theta", single(candidates.theta_method)
    if find_spec("prophet"):
        yield "Prophet", single(candidates.prophet)


def scores(spread: Spread, truth: np.ndarray, step: float) -> np.ndarray:
    """MASE, CRPS, coverage of 80 and 95 %, over the known weeks ahead (N, H)."""
    some = np.isfinite(truth)
    error = np.abs(truth - spread.mean)[some] / step
    below = truth[..., None] - spread.quantiles
    pinball = np.maximum(LEVELS * below, (LEVELS - 1) * below)
    q = spread.quantiles
    inside = [(truth >= q[..., low]) & (truth <= q[..., high]) for low, high in ((1, 3), (0, 4))]
    return np.array([error.mean(), 2 * pinball[some].mean() / step, *(one[some].mean() for one in inside)])


def backtest(metric: Metric, origins: tuple[int, ...], n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Of each candidate the mean of its scores over the origins, and its milliseconds a series."""
    weeks = simulated_weeks(rng, POOL, max(origins) + HORIZON)
    whole = weeks.panel(metric)
    known = np.where(whole.known, whole.value, np.nan)
    found: dict[str, list[np.ndarray]] = {}
    for origin in origins:
        panel = Panel(metric, whole.value[:, :origin], whole.size[:, :origin], whole.left_out[:origin])
        rows = np.flatnonzero(panel.known.sum(axis=1) >= MIN_WEEKS)[:n]
        if not rows.size:
            continue
        step = float(np.nanmean(np.abs(np.diff(known[:, :origin], axis=1))))
        for name, candidate in all_candidates():
            started = time.process_time()
            of = rows[:N_ALONE] if candidate is alone else rows
            spread = candidate(panel, of)
            taken = 1000 * (time.process_time() - started) / (POOL if candidate is filtered else of.size)
            truth = known[of, origin : origin + HORIZON]
            found.setdefault(name, []).append(np.append(scores(spread, truth, step), taken))
    return {name: np.mean(parts, axis=0) for name, parts in found.items()}


def main(n: int = 60, only: str | None = None) -> None:
    rng = np.random.default_rng(12)
    print(f"{n} series an origin, {HORIZON} weeks ahead")
    for metric in [Metric(only)] if only else Metric:
        for lengths, origins in ORIGINS.items():
            print(f"{metric}, {lengths} weeks{'':<14} MASE   CRPS   80 %   95 %   ms a series", flush=True)
            for name, (mase, crps, in80, in95, taken) in backtest(metric, origins, n, rng).items():
                row = f"{mase:6.3f} {crps:6.3f} {in80:6.1%} {in95:6.1%} {taken:8.2f}"
                print(f"  {name:<26} {row}", flush=True)


if __name__ == "__main__":
    main(*(int(argument) if argument.isdigit() else argument for argument in sys.argv[1:]))  # type: ignore[arg-type]
