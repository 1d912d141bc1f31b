"""POST /glmm/…: a request's rows as columns, fitted or predicted, as JSON."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from thetaline.api.mixed_model import FitProgressRequest, NewRow, PredictProgressRequest, ScoreRow
from thetaline.learning.mixed_model import GroupEffects, MixedFit, fit_mixed
from thetaline.learning.windows import monday, week_number
from thetaline.service.http_errors import ApiError, method_failures_as_422

Column = NDArray[Any]


def fit_json(request: FitProgressRequest, *, most: int, now: datetime) -> bytes:
    """The body of a 200. Raises 413, and a 422 that says why no model could be fitted."""
    columns = _columns(request.rows, most=most)
    trials, error = (_optional(request.rows, name) for name in ("trials", "error_variance"))
    with method_failures_as_422("the fit"):
        fit = fit_mixed(
            request.formula, columns, family=request.family, trials=trials, error_variance=error, reml=request.reml
        )
    body = {
        "status": "ok",
        "fit_meta": {"run_id": f"glmm-{now:%Y-%m-%dT%H:%M:%SZ}", **_meta(fit)},
        "fixed_effects": [one._asdict() for one in fit.coefficients],
        "random_effects": {one.group: _levels(one) for one in fit.groups},
        "residual_sd": fit.residual_sd,
        "metrics": fit.metrics,
    }
    return to_json(body, inf_nan_mode="null")


def predict_json(request: PredictProgressRequest, *, most: int) -> bytes:
    """The body of a 200. Raises 413."""
    if len(request.rows) > most:
        raise _too_many(len(request.rows), most)
    week = _weeks([row["week"] for row in request.rows])
    fixed = {one["term"]: one["estimate"] for one in request.fixed_effects}
    eta = fixed.get("(Intercept)", 0.0) + fixed.get("week", 0.0) * week
    for group, given in request.random_effects.items():
        effects = {one["level"]: one["values"] for one in given["levels"]}
        eta = eta + _contribution(effects, request.rows, group, week)
    values = 1 / (1 + np.exp(-np.clip(eta, -700, 700))) if request.family == "binomial" else eta
    return to_json({"status": "ok", "predictions": values.tolist()})


def _contribution(effects: Mapping[str, Any], rows: list[NewRow], group: str, week: Column) -> Column:
    found = [effects.get(cast("str", row.get(group)), {}) for row in rows]
    intercept, slope = (np.array([one.get(name, 0.0) for one in found]) for name in ("(Intercept)", "week"))
    return np.asarray(intercept + slope * week)


def _columns(rows: list[ScoreRow], *, most: int) -> dict[str, Column]:
    """`topic` only where every row has one."""
    if len(rows) > most:
        raise _too_many(len(rows), most)
    columns: dict[str, Column] = {
        "score": np.array([row["score"] for row in rows], float),
        "week": _weeks([row["week"] for row in rows]),
        "student": np.array([row["student"] for row in rows]),
    }
    topics = [row.get("topic") for row in rows]
    return columns if None in topics else {**columns, "topic": np.array(topics)}


def _weeks(weeks: list[Any]) -> Column:
    """Numbers as they are; days as the number of their ISO week. Raises a 422 for both in one body."""
    dates = [isinstance(week, date) for week in weeks]
    if any(dates) and not all(dates):
        raise ApiError(422, "some rows give week as a number, some as a date; give one of the two in all rows")
    if not any(dates):
        return np.array(weeks, float)
    return np.array([week_number(monday(week)) for week in weeks], float)


def _optional(rows: list[ScoreRow], name: str) -> Column | None:
    values = [row.get(name) for row in rows]
    if all(value is None for value in values):
        return None
    if None in values:
        raise ApiError(422, f"some rows have {name} and some have not; give it in all rows or in none")
    return np.array(values, float)


def _meta(fit: MixedFit) -> dict[str, object]:
    groups = {one.group: int(one.levels.size) for one in fit.groups}
    spec = {"formula": str(fit.formula), "family": str(fit.family), "n": fit.n, "groups": groups}
    tried = [one._asdict() for one in fit.fell_back_from]
    return {"model_spec": spec, "fell_back_from": tried, "notes": list(fit.notes)}


def _levels(effects: GroupEffects) -> dict[str, object]:
    rows = zip(effects.levels.tolist(), effects.values.tolist(), effects.se.tolist(), strict=True)
    names = effects.names
    levels = [
        {"level": level, "values": dict(zip(names, values, strict=True)), "se": dict(zip(names, se, strict=True))}
        for level, values, se in rows
    ]
    sd = dict(zip(names, effects.sd.tolist(), strict=True))
    return {"sd": sd, "correlation": effects.correlation, "levels": levels}


def _too_many(n: int, most: int) -> ApiError:
    return ApiError(413, f"{n} rows; at most {most} are taken in one request")
