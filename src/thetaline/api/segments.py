"""POST /cluster/fit: learners grouped by features that the request gives."""

from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat
from typing_extensions import TypedDict

from thetaline.api.base import KEYED, OPEN, Id, Payload, Reply, StopAtFirstError, with_examples

Value = Annotated[FiniteFloat, Field(ge=-1e12, le=1e12)]


class FeatureRow(TypedDict):
    """The features of one learner by name; null, or left out: unknown."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    user_id: Id
    features: Annotated[dict[Id, Value | None], Field(min_length=1, max_length=50)]


class ClusterFitRequest(Payload):
    """Learners with features; names as `cluster_segments` has them get its labels, others labels of their own."""

    rows: Annotated[list[FeatureRow], Field(min_length=1), StopAtFirstError()]
    n_clusters: Annotated[int, Field(ge=1, le=8)] | None = Field(default=None, description="default: from the data")
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0

    model_config = with_examples(
        {
            "rows": [
                {"user_id": "u1", "features": {"sessions_per_week": 4.5, "session_minutes": 12.0, "hint_share": None}},
                {"user_id": "u2", "features": {"sessions_per_week": 0.8, "session_minutes": 55.0, "hint_share": 0.3}},
            ]
        }
    )


class AssignedLearner(TypedDict):
    """The position in `segments`; null: too little is known."""

    __pydantic_config__ = OPEN  # type: ignore[misc]

    user_id: str
    segment: int | None


class ClusterFitResponse(Reply):
    """Segments from the largest; a single one is "no structure"."""

    status: Literal["ok"] = "ok"
    fit_meta: dict[str, Any] = Field(description="run_id, method, n_clusters, features, left_out, intended_use")
    segments: list[dict[str, Any]] = Field(description="label, english, korean, size, jaccard, center, profile")
    numbers: list[dict[str, Any]] = Field(description="k, gap, gap_se, p, prediction_strength")
    learners: list[AssignedLearner]
