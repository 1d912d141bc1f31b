"""An answer of each kind, for the OpenAPI document; a request's examples stand beside its model."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from thetaline import api

_JOB_ID = "5f0d6c2e-9d0b-4d2e-8a51-0c8f4f1f2f11"
_AT = "2025-11-02T04:15:23Z"
_RUN = "fit-2025-11-02T04:15:23Z"
_POINT = {"theta": 0.31, "se": 0.28, "model": "2PL", "version": 1, "run_id": _RUN, "fitted_at": _AT}
_VERSION = {"model": "2PL", "params": {"a": 1.2, "b": 0.5}, "version": 1, "run_id": _RUN, "fitted_at": _AT}
_ITEM = {"item_id": "101", "code": "algebra-7", "topic_id": "algebra", "tags": ["algebra", "anchor"], **_VERSION}
_WEEK = {
    "week_start": "2025-10-27",
    "kpis": {"I_t": 0.21, "method": "theta_delta", "E_t": 0.08, "A_t": 0.64, "P": 0.58, "S": 0.07},
    "updated_at": _AT,
}
_AHEAD = {
    "horizon": 1,
    "week_start": "2025-11-03",
    "mean": 0.44,
    "sd": 0.42,
    "low_95": -0.39,
    "low_80": -0.1,
    "high_80": 0.98,
    "high_95": 1.27,
}
_LINE = {
    "user_id": "u1",
    "level": 0.3,
    "level_se": 0.2,
    "slope": 0.05,
    "slope_se": 0.03,
    "correlation": 0.2,
    "n_answers": 120,
    "n_weeks": 10,
    "first_week": "2025-08-18",
    "last_week": "2025-10-27",
    "bend_week": None,
}
_LEDGER_ROW = {
    "run_id": _RUN,
    "job": "mirt_calibrate",
    "as_of": "2025-11-02",
    "state": "published",
    "started_at": "2025-11-02T04:15:01Z",
    "finished_at": _AT,
    "summary": {"n_items": 150, "n_users": 500},
}
_GATE = {"check_name": "converged", "passed": True, "value": None, "limit_text": "converged", "message": "it converged"}
_CALIBRATED = {
    "status": "ok",
    "fit_meta": {
        "run_id": _RUN,
        "model_spec": {"model": "2PL", "n_items": 150, "n_users": 500, "n_anchors": 50},
        "linked": True,
        "linking_constants": {"A": 1.02, "B": 0.05, "n_anchors_used": 48, "method": "stocking-lord", "dropped": {}},
        "population": {"mean": 0.05, "sd": 1.02},
        "metrics": {"log_likelihood": -6543.2, "aic": 13686.4, "bic": 14951.0, "cycles": 14, "converged": True},
    },
    "item_params": [{"item_id": "101", "params": {"a": 1.2, "b": 0.5, "c": 0.0}, "se": {"a": 0.1, "b": 0.1}}],
    "abilities": [{"user_id": "u1", "theta": 0.3, "se": 0.4}],
}

EXAMPLES: Mapping[type[BaseModel], dict[str, Any]] = {
    api.ErrorBody: {"error": "the token is not in force", "detail": None, "request_id": "0c8f4f1f2f115f0d"},
    api.Health: {"status": "ok", "service": "r-irt-plumber", "version": "1.0.0"},
    api.Readiness: {
        "status": "ready",
        "database": "ok",
        "migrations": "ok",
        "published_run": _RUN,
        "workers": 2,
    },
    api.CalibrateResponse: _CALIBRATED,
    api.ScoreResponse: {"status": "ok", "abilities": [{"user_id": "u1", "theta": 0.3, "se": 0.4}]},
    api.LinkResponse: {
        "status": "ok",
        "A": 1.02,
        "B": 0.05,
        "method": "stocking-lord",
        "n_anchors_used": 3,
        "rmsd": 0.04,
        "dropped": {},
        "se": {"A": 0.03, "B": 0.02},
        "item_params": {"1": {"a": 0.98, "b": -0.97}},
    },
    api.InformationResponse: {
        "status": "ok",
        "theta": [0.0],
        "items": [{"item_id": "101", "information": [0.33], "expected_score": [0.35]}],
        "test_information": [0.33],
        "se": [1.74],
    },
    api.NextItemsResponse: {"status": "ok", "theta": 0.3, "items": [{"item_id": "103", "information": 0.24}]},
    api.FitProgressResponse: {
        "status": "ok",
        "fit_meta": {
            "run_id": "glmm-2025-11-02T04:15:23Z",
            "model_spec": {
                "formula": "score ~ week + (1|student)",
                "family": "gaussian",
                "n": 16,
                "groups": {"student": 4},
            },
            "fell_back_from": [],
            "notes": [],
        },
        "fixed_effects": [{"term": "week", "estimate": 0.5, "se": 0.1, "z": 5.0}],
        "random_effects": {
            "student": {
                "sd": {"(Intercept)": 1.0},
                "levels": [{"level": "s0", "values": {"(Intercept)": 0.9}, "se": {"(Intercept)": 0.2}}],
            }
        },
        "residual_sd": 0.4,
        "metrics": {"logLik": -19.8, "AIC": 47.6, "BIC": 50.7, "RMSE": 0.35},
    },
    api.PredictProgressResponse: {"status": "ok", "predictions": [4.4, 3.4]},
    api.GrowthFitResponse: {
        "status": "ok",
        "fit_meta": {
            "run_id": "growth-2025-11-02T04:15:23Z",
            "status": "fitted",
            "dropped": [],
            "now": "2025-10-27",
            "diagnostics": {"n_learners": 400, "n_answers": 48000, "n_weeks": 12, "distance": 0.01},
        },
        "fixed_effects": [{"term": "slope", "estimate": 0.04, "se": 0.004, "z": 10.0}],
        "spreads": {"level_sd": 0.9, "slope_sd": 0.05, "correlation": 0.2, "topic_sd": 0.4, "walk_sd": 0.05},
        "learners": [_LINE],
    },
    api.GrowthPredictResponse: {
        "status": "ok",
        "date": "2025-11-23",
        "predictions": [
            {"user_id": "u1", "theta": 0.49, "se": 0.25, "probability": 0.11, "ever_probability": 0.14, "reason": None}
        ],
    },
    api.SurvivalFitResponse: {
        "status": "ok",
        "fit_meta": {
            "run_id": "survival-2025-11-02T04:15:23Z",
            "formula": "cloglog P(silent for 14 school days) ~ log_silence + overdue",
            "in_force": "landmark_hazard",
            "n_rows": 9300,
            "n_silent": 1071,
            "n_holdouts": 6,
        },
        "coefficients": [{"term": "overdue", "estimate": 0.31, "se": 0.06, "hazard_ratio": 1.36}],
        "concordance": 0.86,
        "accuracy": {"landmark_hazard": {"n": 4274, "n_silent": 568, "brier": 0.08, "auc": 0.86, "slope": 1.0}},
        "comparisons": [{"baseline": "inactivity", "brier": -0.004, "brier_interval": [-0.006, -0.002]}],
        "risks": [{"user_id": "u1", "risk": 0.12, "hazard_ratio": 0.8, "rank_percentile": 41.0}],
        "already_silent": ["u2"],
    },
    api.ClusterFitResponse: {
        "status": "ok",
        "fit_meta": {"run_id": "cluster-2025-11-02T04:15:23Z", "method": "k-means", "n_clusters": 2},
        "segments": [{"label": "short_frequent", "korean": "짧고 자주 학습", "size": 127, "jaccard": 0.98}],
        "numbers": [{"k": 2, "gap": 0.27, "gap_se": 0.02, "p": 0.025, "prediction_strength": 0.91}],
        "learners": [{"user_id": "u1", "segment": 0}],
    },
    api.ForecastResponse: {
        "status": "ok",
        "fit_meta": {"run_id": "forecast-2025-11-02T04:15:23Z", "metric": "theta", "n_series": 1, "n_forecast": 1},
        "forecasts": [{"series": "u1", "weeks_known": 12, "reason": None, "ahead": [_AHEAD]}],
        "anomalies": [
            {
                "series": "u1",
                "week_start": "2025-10-27",
                "value": 1.9,
                "expected": 0.42,
                "anomaly_score": 4.6,
                "p_value": 5e-06,
            }
        ],
        "changepoints": [{"series": "u1", "week_start": "2025-09-15", "size": 0.8, "p": 0.004}],
    },
    api.ForecastSummaryResponse: {
        "status": "ok",
        "fit_meta": {"run_id": "forecast-2025-11-02T04:15:23Z", "metric": "theta", "n_series": 1, "n_forecast": 1},
        "series": [
            {
                "series": "u1",
                "weeks_known": 12,
                "reason": None,
                "next_mean": 0.44,
                "next_low_80": -0.1,
                "next_high_80": 0.98,
                "change_ahead": 0.03,
                "is_anomaly": False,
                "changed_on": None,
            }
        ],
    },
    api.JobAccepted: {"status": "accepted", "job_id": _JOB_ID, "href": f"/jobs/{_JOB_ID}"},
    api.Job: {
        "job_id": _JOB_ID,
        "kind": "calibrate",
        "state": "running",
        "progress": {"cycle": 7, "log_likelihood": -6543.9, "largest_change": 0.003},
        "attempts": 1,
        "created_at": "2025-11-02T04:15:01Z",
        "started_at": "2025-11-02T04:15:02Z",
    },
    api.LearnerTheta: {"user_id": "u1", "general": _POINT, "topics": [{"topic_id": "algebra", **_POINT}]},
    api.ThetaHistory: {"user_id": "u1", "topic_id": None, "points": [_POINT]},
    api.ThetaUpdated: {
        "status": "ok",
        "user_id": "u1",
        "theta": 0.36,
        "se": 0.27,
        "n_answers": 31,
        "changed": True,
        "run_id": "update_theta-2025-11-02",
    },
    api.KpiHistory: {"user_id": "u1", "weeks": [_WEEK]},
    api.WeekRecomputed: {"status": "ok", "user_id": "u1", "week": _WEEK},
    api.LearnerReports: {
        "user_id": "u1",
        "reports": [
            {
                "week_start": "2025-10-27",
                "format": "html",
                "language": "ko",
                "generated_at": "2025-11-03T04:20:00Z",
            }
        ],
    },
    api.ReportLink: {
        "url": "https://reports.s3.amazonaws.com/reports/u1/2025-10-27/report.html?X-Amz-Expires=900&X-Amz-Signature=0a1b",
        "expires_at": "2025-11-03T09:15:00Z",
    },
    api.BankItem: _ITEM,
    api.BankPage: {"items": [_ITEM], "next_after": "101"},
    api.ItemHistory: {"item_id": "101", "code": "algebra-7", "versions": [_VERSION]},
    api.DriftAlerts: {
        "alerts": [
            {
                "run_id": "irt_drift-2025-11-02",
                "item_id": "101",
                "code": "algebra-7",
                "is_anchor": True,
                "severity": "critical",
                "statistics": {"z_b": 5.1},
                "proposal": "retire this anchor",
                "created_at": _AT,
            }
        ]
    },
    api.LedgerRun: {**_LEDGER_ROW, "gate": [_GATE]},
    api.RunPage: {"runs": [_LEDGER_ROW]},
}
