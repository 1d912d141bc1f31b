"""What else could forecast a short weekly series: one at a time, with the libraries where they are installed."""

import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
PERCENT = (80, 95)


class Spread(NamedTuple):
    """(N, H) means and (N, H, 5) quantiles at `LEVELS`."""

    mean: np.ndarray
    quantiles: np.ndarray


def naive(history: np.ndarray, horizon: int) -> Spread:
    """The last value; errors grow as those of a random walk."""
    means, quantiles = [], []
    for row in history:
        known = row[np.isfinite(row)]
        step = np.sqrt(np.mean(np.square(np.diff(known)))) if known.size > 1 else 0.0
        sd = step * np.sqrt(np.arange(1, horizon + 1))
        means.append(np.full(horizon, known[-1]))
        quantiles.append(known[-1] + sd[:, None] * ndtri(LEVELS))
    return Spread(np.array(means), np.array(quantiles))


def mean(history: np.ndarray, horizon: int) -> Spread:
    """The mean of all values, with the t interval of a new one."""
    means, quantiles = [], []
    for row in history:
        known = row[np.isfinite(row)]
        sd = known.std(ddof=1) * np.sqrt(1 + 1 / known.size)
        means.append(np.full(horizon, known.mean()))
        quantiles.append(np.tile(known.mean() + sd * stdtrit(known.size - 1, LEVELS), (horizon, 1)))
    return Spread(np.array(means), np.array(quantiles))


def auto_ets(history: np.ndarray, horizon: int) -> Spread:
    """statsforecast's AutoETS."""
    return _each(history, horizon, lambda: models().AutoETS(season_length=1))


def damped_trend(history: np.ndarray, horizon: int) -> Spread:
    """Exponential smoothing with additive errors and a damped trend."""
    return _each(history, horizon, lambda: models().AutoETS(season_length=1, model="AAN", damped=True))


def theta_method(history: np.ndarray, horizon: int) -> Spread:
    """statsforecast's optimised Theta method."""
    return _each(history, horizon, lambda: models().OptimizedTheta(season_length=1))


def prophet(history: np.ndarray, horizon: int) -> Spread:
    """Prophet without seasons; missing weeks are left out of its rows."""
    pd, model_of = import_module("pandas"), import_module("prophet").Prophet
    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    logging.getLogger("prophet").setLevel(logging.ERROR)
    days = pd.date_range("2025-01-06", periods=history.shape[1] + horizon, freq="7D")
    means, quantiles = [], []
    for row in history:
        some = np.isfinite(row)
        model = model_of(
            weekly_seasonality=False, yearly_seasonality=False, daily_seasonality=False, uncertainty_samples=300
        )
        model.fit(pd.DataFrame({"ds": days[: row.size][some], "y": row[some]}))
        ahead = pd.DataFrame({"ds": days[row.size :]})
        draws = model.predictive_samples(ahead)["yhat"]
        means.append(model.predict(ahead)["yhat"].to_numpy())
        quantiles.append(np.quantile(draws, LEVELS, axis=1).T)
    return Spread(np.array(means), np.array(quantiles))


def models() -> Any:
    return import_module("statsforecast.models")


def _each(history: np.ndarray, horizon: int, model: Callable[[], Any]) -> Spread:
    """A model of statsforecast for each series, missing weeks filled in on a straight line; what fails is naive."""
    means, quantiles = [], []
    for row in history:
        some = np.isfinite(row)
        filled = np.interp(np.arange(row.size), np.flatnonzero(some), row[some])
        try:
            found = model().forecast(y=filled, h=horizon, level=list(PERCENT))
        except Exception:  # noqa: BLE001  too short for it, or all values equal
            fallback = naive(row[None], horizon)
            means.append(fallback.mean[0])
            quantiles.append(fallback.quantiles[0])
            continue
        means.append(found["mean"])
        columns = (found["lo-95"], found["lo-80"], found["mean"], found["hi-80"], found["hi-95"])
        quantiles.append(np.stack(columns, axis=1))
    return Spread(np.array(means), np.array(quantiles))
