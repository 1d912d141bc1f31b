"""POST /survival/fit: a request's days of answers as arrays, fitted, as JSON."""

from collections import defaultdict
from dataclasses import asdict
from datetime import datetime
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from thetaline.api.churn import ActivityRow, SurvivalFitRequest
from thetaline.errors import NotFittedError
from thetaline.jobs.churn.hazard import INTENDED_USE, formula
from thetaline.learning.attempts import UNKNOWN, Attempts
from thetaline.learning.churn import Coefficients, Risks, fit_churn, landmark_rows
from thetaline.learning.windows import Window, day_number
from thetaline.service.free_days import free_days
from thetaline.service.http_errors import ApiError, method_failures_as_422

MOST_CELLS = 20_000_000  # learners times days, of which some arrays are held


def fit_json(request: SurvivalFitRequest, *, most: int, now: datetime) -> bytes:
    """The body of a 200. Raises 413, and a 422 that says why there is no fit."""
    if len(request.rows) > most:
        raise ApiError(413, f"{len(request.rows)} rows; at most {most} are taken in one request")
    users, attempts = _attempts(request.rows)
    window = _window(request, attempts)
    if window.days * len(users) > MOST_CELLS:
        raise ApiError(413, f"{len(users)} learners on {window.days} days; their product may be {MOST_CELLS} at most")
    group = [request.groups.get(user) for user in users] if request.groups else None
    with method_failures_as_422("the fit"):
        cohort = landmark_rows(attempts, window, free_days(request.holidays), silent_days=request.silent_days)
        found = fit_churn(cohort, np.random.default_rng(window.stop), group=group, silent_days=request.silent_days)
        if found.risks is None or found.coefficients is None:
            raise NotFittedError(f"not fitted because {found.reason}")
    body = {
        "status": "ok",
        "fit_meta": {
            "run_id": f"survival-{now:%Y-%m-%dT%H:%M:%SZ}",
            "formula": formula(found.coefficients.names, request.silent_days),
            "in_force": str(found.in_force),
            "n_rows": found.n_rows,
            "n_silent": found.n_silent,
            "n_holdouts": found.n_holdouts,
            "left_out": list(found.dropped),
            "intended_use": INTENDED_USE,
        },
        "coefficients": _coefficients(found.coefficients),
        "concordance": found.accuracy["landmark_hazard"].auc,
        "accuracy": {name: one._asdict() for name, one in found.accuracy.items()},
        "comparisons": [asdict(one) for one in found.comparisons],
        "risks": _risks(users, found.risks),
        "already_silent": [users[row] for row in np.flatnonzero(found.already_silent).tolist()],
    }
    return to_json(body, inf_nan_mode="null")


def _attempts(rows: list[ActivityRow]) -> tuple[list[str], Attempts]:
    """Learners in the order of first appearance; answers by learner and day."""
    users: defaultdict[str, int] = defaultdict(count().__next__)
    learner = np.array([users[row["user_id"]] for row in rows], np.int32)
    day = np.array([day_number(row["date"]) for row in rows], np.int32)
    order = np.lexsort((day, learner))
    nothing = np.full(len(rows), UNKNOWN, np.int32)
    return list(users), Attempts(
        learner=learner[order],
        item=nothing,
        correct=_flags([row.get("is_correct") for row in rows])[order],
        day=day[order],
        time_ms=nothing,
        hint=_flags([row.get("used_hints") for row in rows])[order],
        session=day[order],
        n_learners=len(users),
    )


def _flags(values: list[Any]) -> NDArray[np.int8]:
    return np.array([UNKNOWN if value is None else int(value) for value in values], np.int8)


def _window(request: SurvivalFitRequest, attempts: Attempts) -> Window:
    """From the first answer to `as_of`. Raises a 422 where that lies before it."""
    first, last = int(attempts.day.min()), int(attempts.day.max())
    end = last if request.as_of is None else day_number(request.as_of)
    if end < first:
        raise ApiError(422, f"as_of {request.as_of} lies before the first answer")
    return Window(first, end + 1)


def _coefficients(found: Coefficients) -> list[dict[str, object]]:
    rows = zip(found.names, found.beta.tolist(), found.se.tolist(), found.hazard_ratio.tolist(), strict=True)
    return [dict(zip(("term", "estimate", "se", "hazard_ratio"), row, strict=True)) for row in rows]


def _risks(users: list[str], risks: Risks) -> list[dict[str, object]]:
    names = ("risk", "hazard_ratio", "rank_percentile")
    columns = [getattr(risks, name).tolist() for name in names]
    known = np.flatnonzero(np.isfinite(risks.risk)).tolist()
    return [
        {"user_id": users[row], **{name: column[row] for name, column in zip(names, columns, strict=True)}}
        for row in known
    ]
