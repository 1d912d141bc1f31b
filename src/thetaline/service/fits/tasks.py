"""What a fit process can do: a body's file in, a reply's file out."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from thetaline.api import (
    ClusterFitRequest,
    FitProgressRequest,
    ForecastRequest,
    GrowthFitRequest,
    GrowthPredictRequest,
    InformationRequest,
    LinkRequest,
    NextItemsRequest,
    PredictProgressRequest,
    ScoreRequest,
    SurvivalFitRequest,
)
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.service import churn, forecast, growth, mixed_models, segments
from thetaline.service.fits.calibration_body import read_body
from thetaline.service.fits.calibration_reply import reply_json
from thetaline.service.fits.process import Task
from thetaline.service.http_errors import method_failures_as_422
from thetaline.service.json_limits import limits_of_process
from thetaline.service.linking import link_json
from thetaline.service.scoring import scoring_input
from thetaline.service.selection import given_bank, information_json, next_items_json

OnCycle = Callable[[int, float, float], None]
TaskFunction = Callable[[Task, OnCycle], dict[str, object]]


def calibrate(task: Task, on_cycle: OnCycle) -> dict[str, object]:
    """POST /irt/calibrate; returns what the metrics are to know."""
    request = read_body(Path(task.body), task.content_type, options=task.options, most=task.most)
    with method_failures_as_422("the fit"):
        reply = InProcessEngine().calibrate(request, on_cycle=on_cycle)
    Path(task.result).write_bytes(reply_json(request, reply, now=datetime.now(UTC)))
    return {"cycles": reply.fit.cycles, "converged": reply.fit.converged, "n_answers": request.observations.n_answers}


def score(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """A large body of POST /irt/score, worked off like a small one."""
    request = ScoreRequest.model_validate_json(_body(task))
    return _done(task, scoring_input(request, most=task.most).scored())


def link(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """A body of POST /irt/link with many items."""
    return _done(task, link_json(LinkRequest.model_validate_json(_body(task))))


def information(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """A body of POST /irt/information with many items."""
    request = InformationRequest.model_validate_json(_body(task))
    return _done(task, information_json(given_bank(request), request))


def next_items(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """A body of POST /irt/next-items with many items."""
    request = NextItemsRequest.model_validate_json(_body(task))
    return _done(task, next_items_json(given_bank(request), request))


def glmm_fit(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """POST /glmm/fit_progress."""
    request = FitProgressRequest.model_validate_json(_body(task))
    return _done(task, mixed_models.fit_json(request, most=task.most, now=datetime.now(UTC)))


def glmm_predict(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """POST /glmm/predict."""
    return _done(
        task, mixed_models.predict_json(PredictProgressRequest.model_validate_json(_body(task)), most=task.most)
    )


def growth_fit(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """POST /growth/fit."""
    request = GrowthFitRequest.model_validate_json(_body(task))
    return _done(task, growth.fit_json(request, most=task.most, now=datetime.now(UTC)))


def growth_predict(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """POST /growth/predict."""
    return _done(task, growth.predict_json(GrowthPredictRequest.model_validate_json(_body(task)), most=task.most))


def survival_fit(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """POST /survival/fit."""
    request = SurvivalFitRequest.model_validate_json(_body(task))
    return _done(task, churn.fit_json(request, most=task.most, now=datetime.now(UTC)))


def cluster_fit(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """POST /cluster/fit."""
    request = ClusterFitRequest.model_validate_json(_body(task))
    return _done(task, segments.fit_json(request, most=task.most, now=datetime.now(UTC)))


def prophet_fit(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """POST /prophet/fit."""
    request = ForecastRequest.model_validate_json(_body(task))
    return _done(task, forecast.fit_json(request, most=task.most, now=datetime.now(UTC)))


def forecast_summary(task: Task, _on_cycle: OnCycle) -> dict[str, object]:
    """POST /forecast/summary."""
    request = ForecastRequest.model_validate_json(_body(task))
    return _done(task, forecast.summary_json(request, most=task.most, now=datetime.now(UTC)))


TASKS: Mapping[str, TaskFunction] = {
    "calibrate": calibrate,
    "score": score,
    "link": link,
    "information": information,
    "next-items": next_items,
    "glmm-fit": glmm_fit,
    "glmm-predict": glmm_predict,
    "growth-fit": growth_fit,
    "growth-predict": growth_predict,
    "survival-fit": survival_fit,
    "cluster-fit": cluster_fit,
    "prophet-fit": prophet_fit,
    "forecast-summary": forecast_summary,
}


def _body(task: Task) -> bytes:
    return limits_of_process(task.most).require(Path(task.body).read_bytes())


def _done(task: Task, reply: bytes) -> dict[str, object]:
    Path(task.result).write_bytes(reply)
    return {}
