"""POST /cluster/fit: a request's features as a table, clustered, as JSON."""

from datetime import datetime

import numpy as np
from pydantic_core import to_json

from thetaline.api.segments import ClusterFitRequest
from thetaline.errors import NotFittedError
from thetaline.jobs.segments.cluster import INTENDED_USE, METHOD, center_of
from thetaline.learning.segments import NOT_ASSIGNED, FeatureTable, segment_learners
from thetaline.service.http_errors import ApiError, method_failures_as_422

MOST_FEATURES = 50


def fit_json(request: ClusterFitRequest, *, most: int, now: datetime) -> bytes:
    """The body of a 200. Raises 413, and a 422 that says why there are no segments."""
    if len(request.rows) > most:
        raise ApiError(413, f"{len(request.rows)} learners; at most {most} are taken in one request")
    table = _table(request)
    with method_failures_as_422("the fit"):
        found = segment_learners(table, np.random.default_rng(request.seed), n_clusters=request.n_clusters)
        if not found.is_fitted:
            raise NotFittedError(f"not fitted because {found.reason}")
    assigned = [None if one == NOT_ASSIGNED else one for one in found.assigned.tolist()]
    body = {
        "status": "ok",
        "fit_meta": {
            "run_id": f"cluster-{now:%Y-%m-%dT%H:%M:%SZ}",
            "method": METHOD,
            "n_clusters": len(found.segments),
            "features": list(found.names),
            "left_out": list(found.dropped),
            "intended_use": INTENDED_USE,
        },
        "segments": [center_of(one, found.names) for one in found.segments],
        "numbers": [one._asdict() for one in found.numbers],
        "learners": [
            {"user_id": row["user_id"], "segment": segment} for row, segment in zip(request.rows, assigned, strict=True)
        ],
    }
    return to_json(body, inf_nan_mode="null")


def _table(request: ClusterFitRequest) -> FeatureTable:
    """Features in the order of first appearance. Raises a 422 for a learner who comes twice."""
    users = [row["user_id"] for row in request.rows]
    if len(set(users)) < len(users):
        raise ApiError(422, "a learner comes twice in rows")
    names = list(dict.fromkeys(name for row in request.rows for name in row["features"]))
    if len(names) > MOST_FEATURES:
        raise ApiError(422, f"{len(names)} different features; give at most {MOST_FEATURES}")
    values = [[_number(row["features"].get(name)) for name in names] for row in request.rows]
    return FeatureTable(np.array(users, np.str_), tuple(names), np.array(values, float))


def _number(value: float | None) -> float:
    return np.nan if value is None else value
