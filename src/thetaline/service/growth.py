"""POST /growth/…: a request's answers or lines as arrays, fitted or predicted, as JSON."""

import math
from collections import defaultdict
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from thetaline.api.base import named_items
from thetaline.api.growth import DatedResponse, GrowthFitRequest, GrowthPredictRequest
from thetaline.errors import NotFittedError
from thetaline.jobs.growth.lines import fault
from thetaline.learning.growth import (
    NO_TOPIC,
    NO_WEEK,
    GrowthAnswers,
    GrowthDiagnostics,
    GrowthFit,
    GrowthSpec,
    LearnerLines,
    fit_growth,
    goal_probability,
    predict,
)
from thetaline.learning.growth.model import Spreads
from thetaline.learning.growth.result import not_fitted
from thetaline.learning.windows import monday, monday_of_number, week_number
from thetaline.service.http_errors import ApiError, method_failures_as_422
from thetaline.service.scoring import bank_of

Column = NDArray[Any]


def fit_json(request: GrowthFitRequest, *, most: int, now: datetime) -> bytes:
    """The body of a 200. Raises 413, and a 422 that says why there is no fit."""
    if len(request.responses) > most:
        raise ApiError(413, f"{len(request.responses)} answers; at most {most} are taken in one request")
    users, answers = _answers(request)
    last = int(answers.week.max()) if answers.n_answers else 0
    week = week_number(monday(request.now)) if request.now else last
    with method_failures_as_422("the fit"):
        fit = fit_growth(answers, GrowthSpec(now_week=week))
    why = fault(fit)
    if why or fit.learners is None:
        raise NotFittedError(f"not fitted because {why}")
    effects = zip(
        fit.fixed.names, *(one.tolist() for one in (fit.fixed.estimate, fit.fixed.se, fit.fixed.z)), strict=True
    )
    body = {
        "status": "ok",
        "fit_meta": {
            "run_id": f"growth-{now:%Y-%m-%dT%H:%M:%SZ}",
            "status": str(fit.status),
            "dropped": list(fit.dropped),
            "now": monday_of_number(week),
            "diagnostics": asdict(fit.diagnostics),
        },
        "fixed_effects": [dict(zip(("term", "estimate", "se", "z"), row, strict=True)) for row in effects],
        "spreads": fit.spreads._asdict(),
        "learners": _lines(users, fit.learners),
    }
    return to_json(body, inf_nan_mode="null")


def predict_json(request: GrowthPredictRequest, *, most: int) -> bytes:
    """The body of a 200. Raises a 413, and a 422 for a learner who comes twice or answered after `now`."""
    if len(request.learners) > most:
        raise ApiError(413, f"{len(request.learners)} learners; at most {most} are taken in one request")
    users = [one["user_id"] for one in request.learners]
    if len(set(users)) < len(users):
        raise ApiError(422, "a learner comes twice in learners")
    if late := [one["user_id"] for one in request.learners if monday(one["last_week"]) > monday(request.now)]:
        raise ApiError(422, f"last_week of {len(late)} learners lies after now, {request.now}", late[:20])
    fit, rows = _given(request), np.arange(len(users))
    week = fit.spec.now_week + (request.date - monday(request.now) - timedelta(days=6)).days / 7
    found = predict(fit, rows, week)
    columns = {"theta": _plain(found.mean), "se": _plain(found.sd)}
    reasons = [text or None for text in found.reason]
    if request.targets:
        target = np.array([request.targets.get(user, np.nan) for user in users])
        goal = goal_probability(fit, target, week, rows)
        columns |= {"probability": _plain(goal.at_date), "ever_probability": _plain(goal.ever_before)}
        reasons = [
            text or other if user in request.targets else other
            for user, text, other in zip(users, goal.reason, reasons, strict=True)
        ]
    named = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    predictions = [
        {"user_id": user, **one, "reason": why} for user, one, why in zip(users, named, reasons, strict=True)
    ]
    return to_json({"status": "ok", "date": request.date, "predictions": predictions})


def _answers(request: GrowthFitRequest) -> tuple[list[str], GrowthAnswers]:
    """Learners in the order of first appearance; the first answer of each to an item in an ISO week."""
    bank = bank_of(named_items(request.item_params))
    position = {name: number for number, name in enumerate(bank.ids.tolist())}
    rows = [row for row in request.responses if row["is_correct"] is not None]
    if unknown := list(dict.fromkeys(row["item_id"] for row in rows if row["item_id"] not in position)):
        raise ApiError(422, f"{len(unknown)} items of the responses are not in item_params", unknown[:20])
    users: defaultdict[str, int] = defaultdict(count().__next__)
    topics: defaultdict[str, int] = defaultdict(count().__next__)
    learner = _codes([users[row["user_id"]] for row in rows])
    item = _codes([position[row["item_id"]] for row in rows])
    week = _codes([week_number(monday(row["date"])) for row in rows])
    by_day = np.argsort(np.array([row["date"] for row in rows], "datetime64[D]"), kind="stable")
    _, first = np.unique(np.stack([learner, item, week])[:, by_day], axis=1, return_index=True)
    answers = GrowthAnswers(
        learner=learner,
        item=item,
        category=np.array([bool(row["is_correct"]) for row in rows], np.uint8),
        week=week,
        topic=_codes([_topic(row, topics) for row in rows]),
        n_learners=len(users),
        bank=bank,
    )
    return list(users), answers.where(np.sort(by_day[first]))


def _topic(row: DatedResponse, topics: defaultdict[str, int]) -> int:
    name = row.get("topic")
    return NO_TOPIC if name is None else topics[name]


def _codes(values: list[int]) -> NDArray[np.int32]:
    return np.array(values, np.int32)


def _lines(users: list[str], lines: LearnerLines) -> list[dict[str, object]]:
    return [
        {
            "user_id": user,
            "level": float(lines.level[row]),
            "level_se": float(lines.sd_level[row]),
            "slope": float(lines.slope[row]),
            "slope_se": float(lines.sd_slope[row]),
            "correlation": float(lines.correlation[row]),
            "n_answers": int(lines.n_answers[row]),
            "n_weeks": int(lines.n_weeks[row]),
            "first_week": _monday(lines.first_week[row]),
            "last_week": _monday(lines.last_week[row]),
            "bend_week": _monday(lines.bend_week[row]),
        }
        for row, user in enumerate(users)
    ]


def _monday(number: int) -> date | None:
    return None if number == NO_WEEK else monday_of_number(int(number))


def _given(request: GrowthPredictRequest) -> GrowthFit:
    """The lines of the request as a fit's."""
    rows = request.learners
    levels: dict[str, Any] = {
        name: np.array([row[name] for row in rows], float) for name in ("level", "slope", "correlation")
    }
    counts: dict[str, Any] = {name: _codes([row[name] for row in rows]) for name in ("n_answers", "n_weeks")}
    weeks: dict[str, Any] = {
        name: _codes([week_number(monday(row[name])) for row in rows]) for name in ("first_week", "last_week")
    }
    lines = LearnerLines(
        **levels,
        **counts,
        **weeks,
        sd_level=np.array([row["level_se"] for row in rows], float),
        sd_slope=np.array([row["slope_se"] for row in rows], float),
        bend_week=np.full(len(rows), NO_WEEK, np.int32),
    )
    spec = GrowthSpec(now_week=week_number(monday(request.now)))
    nothing = not_fitted(spec, "", GrowthDiagnostics(len(rows), 0, 0, 0, np.nan, np.nan))
    return replace(nothing, learners=lines, spreads=Spreads(0.0, 0.0, 0.0, 0.0, request.walk_sd))


def _plain(values: Column) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
