"""What travels over HTTP: every payload is defined here once, for the server, the client and the documentation."""

from thetaline.api.base import ErrorBody, ItemParams, Payload
from thetaline.api.calibration import (
    Anchor,
    CalibratedItem,
    CalibrateRequest,
    CalibrateResponse,
    FitMeta,
    LinkingConstants,
    Metrics,
    ModelSpec,
    Observation,
)
from thetaline.api.items import BankItem, BankPage, DriftAlert, DriftAlerts, ItemHistory, ItemVersion
from thetaline.api.jobs import Job, JobAccepted, JobProgress, JobState
from thetaline.api.learners import (
    LearnerKpis,
    LearnerTheta,
    RecomputeRequest,
    SessionAnswer,
    ThetaHistory,
    ThetaPoint,
    ThetaUpdated,
    ThetaUpdateRequest,
    TopicTheta,
    WeeklyKpis,
    WeekRecomputed,
)
from thetaline.api.linking import LinkRequest, LinkResponse
from thetaline.api.operation import Health, Readiness
from thetaline.api.runs import GateCheck, Run, RunPage
from thetaline.api.scoring import Ability, KeyedResponse, ScoreRequest, ScoreResponse
from thetaline.api.selection import (
    InformationRequest,
    InformationResponse,
    ItemCurve,
    NextItem,
    NextItemsRequest,
    NextItemsResponse,
)

__all__ = [
    "Ability",
    "Anchor",
    "BankItem",
    "BankPage",
    "CalibrateRequest",
    "CalibrateResponse",
    "CalibratedItem",
    "DriftAlert",
    "DriftAlerts",
    "ErrorBody",
    "FitMeta",
    "GateCheck",
    "Health",
    "InformationRequest",
    "InformationResponse",
    "ItemCurve",
    "ItemHistory",
    "ItemParams",
    "ItemVersion",
    "Job",
    "JobAccepted",
    "JobProgress",
    "JobState",
    "KeyedResponse",
    "LearnerKpis",
    "LearnerTheta",
    "LinkRequest",
    "LinkResponse",
    "LinkingConstants",
    "Metrics",
    "ModelSpec",
    "NextItem",
    "NextItemsRequest",
    "NextItemsResponse",
    "Observation",
    "Payload",
    "Readiness",
    "RecomputeRequest",
    "Run",
    "RunPage",
    "ScoreRequest",
    "ScoreResponse",
    "SessionAnswer",
    "ThetaHistory",
    "ThetaPoint",
    "ThetaUpdateRequest",
    "ThetaUpdated",
    "TopicTheta",
    "WeekRecomputed",
    "WeeklyKpis",
]
