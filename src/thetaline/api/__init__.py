"""What travels over HTTP: every payload is defined here once, for the server, the client and the documentation."""

from thetaline.api.base import ErrorBody, ItemParams, Payload
from thetaline.api.calibration import (
    Anchor,
    CalibratedItem,
    CalibrateRequest,
    CalibrateResponse,
    FitMeta,
    FitMetrics,
    FittedModel,
    LinkingConstants,
    Observation,
)
from thetaline.api.churn import LearnerRisk, SurvivalFitRequest, SurvivalFitResponse
from thetaline.api.forecast import ForecastRequest, ForecastResponse, ForecastSummaryResponse
from thetaline.api.growth import (
    GrowthFitRequest,
    GrowthFitResponse,
    GrowthLine,
    GrowthPredictRequest,
    GrowthPredictResponse,
)
from thetaline.api.items import BankItem, BankPage, DriftAlert, DriftAlerts, ItemHistory, ItemVersion
from thetaline.api.jobs import Job, JobAccepted, JobProgress, JobState
from thetaline.api.learners import (
    KpiHistory,
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
from thetaline.api.mixed_model import (
    FitProgressRequest,
    FitProgressResponse,
    PredictProgressRequest,
    PredictProgressResponse,
)
from thetaline.api.operation import Health, Readiness
from thetaline.api.reports import LearnerReports, ReportEntry, ReportLink
from thetaline.api.runs import GateCheck, LedgerRun, RunPage
from thetaline.api.scoring import Ability, KeyedResponse, ScoreRequest, ScoreResponse
from thetaline.api.segments import ClusterFitRequest, ClusterFitResponse
from thetaline.api.selection import (
    InformationRequest,
    InformationResponse,
    ItemCurve,
    NextItemsRequest,
    NextItemsResponse,
    RankedItem,
)

__all__ = [
    "Ability",
    "Anchor",
    "BankItem",
    "BankPage",
    "CalibrateRequest",
    "CalibrateResponse",
    "CalibratedItem",
    "ClusterFitRequest",
    "ClusterFitResponse",
    "DriftAlert",
    "DriftAlerts",
    "ErrorBody",
    "FitMeta",
    "FitMetrics",
    "FitProgressRequest",
    "FitProgressResponse",
    "FittedModel",
    "ForecastRequest",
    "ForecastResponse",
    "ForecastSummaryResponse",
    "GateCheck",
    "GrowthFitRequest",
    "GrowthFitResponse",
    "GrowthLine",
    "GrowthPredictRequest",
    "GrowthPredictResponse",
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
    "KpiHistory",
    "LearnerReports",
    "LearnerRisk",
    "LearnerTheta",
    "LedgerRun",
    "LinkRequest",
    "LinkResponse",
    "LinkingConstants",
    "NextItemsRequest",
    "NextItemsResponse",
    "Observation",
    "Payload",
    "PredictProgressRequest",
    "PredictProgressResponse",
    "RankedItem",
    "Readiness",
    "RecomputeRequest",
    "ReportEntry",
    "ReportLink",
    "RunPage",
    "ScoreRequest",
    "ScoreResponse",
    "SessionAnswer",
    "SurvivalFitRequest",
    "SurvivalFitResponse",
    "ThetaHistory",
    "ThetaPoint",
    "ThetaUpdateRequest",
    "ThetaUpdated",
    "TopicTheta",
    "WeekRecomputed",
    "WeeklyKpis",
]
