"""Every request of the service as a value: where it goes, what it carries, what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar, cast
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from thetaline import api
from thetaline.errors import ServiceError
from thetaline.masking import mask_text, mask_url

T = TypeVar("T")
JSON = "application/json"
# Ten thousand answers, as text and as columns: below them the slowest model ends within seconds, far from any time-out,
# and asking for a job would only make a small fit depend on the server's database. Servers queue by themselves at 8 MB.
JOB_BYTES = {JSON: 1_000_000, "application/x-ndjson": 1_000_000}
DENSE_JOB_BYTES = 50_000


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request; `reply` is the type of its answer, `timeout_secs` its own instead of the client's."""

    method: str
    path: str
    reply: type[T]
    content: bytes | None = None
    content_type: str = JSON
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_secs: float | None = None

    def request(self, client: "httpx.Client | httpx.AsyncClient") -> httpx.Request:
        """The request as httpx sends it."""
        kind = {} if self.content is None else {"content-type": self.content_type}
        headers = {**kind, **self.headers}
        timeout = client.timeout if self.timeout_secs is None else httpx.Timeout(self.timeout_secs)
        return client.build_request(
            self.method, self.path, content=self.content, headers=headers, params=self.params, timeout=timeout
        )


def read(call: Call[T], response: httpx.Response) -> T:
    """The answer's body. Raises ServiceError for an error status or a body that is not what the contract says."""
    if response.status_code >= 400:
        raise _refused(call, response)
    if call.reply is bytes:
        return cast("T", response.content)
    try:
        return TypeAdapter(call.reply).validate_json(response.content)
    except ValidationError as error:
        broken = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
        raise ServiceError(
            f"{_answered(call, response)} with a body outside the contract: {broken}",
            status=response.status_code,
        ) from None


def unreachable(call: Call[T], error: httpx.TransportError, url: httpx.URL) -> ServiceError:
    """The error of a call that got no answer."""
    said = mask_text(str(error)) or type(error).__name__
    where = f"{call.method} {mask_url(str(url))}"
    return ServiceError(f"{where} got no answer ({said}); check the address and that the service runs")


def health() -> Call[api.Health]:
    """GET /healthz."""
    return Call("GET", "/healthz", api.Health)


def ready() -> Call[api.Readiness]:
    """GET /readyz."""
    return Call("GET", "/readyz", api.Readiness)


def calibrate(body: api.CalibrateRequest | bytes, content_type: str, model: str | None) -> Call[bytes]:
    """POST /irt/calibrate; the answer is the result (200) or a job (202), so it stays bytes here."""
    content = body if isinstance(body, bytes) else _json(body)
    params = {} if model is None else {"model": model}
    prefers = {"prefer": "respond-async"} if _asks_for_job(content, content_type) else {}
    headers = {"idempotency-key": uuid4().hex, **prefers}  # asked again after a lost connection, it is the same job
    return Call("POST", "/irt/calibrate", bytes, content, content_type, params, headers)


def _asks_for_job(content: bytes, content_type: str) -> bool:
    """Whether the fit may take longer than a server lets a request wait; one that knows no jobs answers at once all
    the same."""
    return len(content) > JOB_BYTES.get(content_type, DENSE_JOB_BYTES)


def as_result(call: Call[bytes]) -> Call[api.CalibrateResponse]:
    """A calibration whose answer is the result."""
    return Call(call.method, call.path, api.CalibrateResponse)


def as_job(call: Call[bytes]) -> Call[api.JobAccepted]:
    """A calibration whose answer is a job."""
    return Call(call.method, call.path, api.JobAccepted)


def score(body: api.ScoreRequest) -> Call[api.ScoreResponse]:
    """POST /irt/score."""
    return _post("/irt/score", body, api.ScoreResponse)


def link(body: api.LinkRequest) -> Call[api.LinkResponse]:
    """POST /irt/link."""
    return _post("/irt/link", body, api.LinkResponse)


def information(body: api.InformationRequest) -> Call[api.InformationResponse]:
    """POST /irt/information."""
    return _post("/irt/information", body, api.InformationResponse)


def next_items(body: api.NextItemsRequest) -> Call[api.NextItemsResponse]:
    """POST /irt/next-items."""
    return _post("/irt/next-items", body, api.NextItemsResponse)


def fit_progress(body: api.FitProgressRequest) -> Call[api.FitProgressResponse]:
    """POST /glmm/fit_progress."""
    return _post("/glmm/fit_progress", body, api.FitProgressResponse)


def predict_progress(body: api.PredictProgressRequest) -> Call[api.PredictProgressResponse]:
    """POST /glmm/predict."""
    return _post("/glmm/predict", body, api.PredictProgressResponse)


def fit_growth(body: api.GrowthFitRequest) -> Call[api.GrowthFitResponse]:
    """POST /growth/fit."""
    return _post("/growth/fit", body, api.GrowthFitResponse)


def predict_growth(body: api.GrowthPredictRequest) -> Call[api.GrowthPredictResponse]:
    """POST /growth/predict."""
    return _post("/growth/predict", body, api.GrowthPredictResponse)


def fit_survival(body: api.SurvivalFitRequest) -> Call[api.SurvivalFitResponse]:
    """POST /survival/fit."""
    return _post("/survival/fit", body, api.SurvivalFitResponse)


def fit_clusters(body: api.ClusterFitRequest) -> Call[api.ClusterFitResponse]:
    """POST /cluster/fit."""
    return _post("/cluster/fit", body, api.ClusterFitResponse)


def fit_forecast(body: api.ForecastRequest) -> Call[api.ForecastResponse]:
    """POST /prophet/fit."""
    return _post("/prophet/fit", body, api.ForecastResponse)


def forecast_summary(body: api.ForecastRequest) -> Call[api.ForecastSummaryResponse]:
    """POST /forecast/summary."""
    return _post("/forecast/summary", body, api.ForecastSummaryResponse)


def job(job_id: UUID | str) -> Call[api.Job]:
    """GET /jobs/{job_id}."""
    return Call("GET", f"/jobs/{job_id}", api.Job)


def job_result(job_id: UUID | str) -> Call[api.CalibrateResponse]:
    """GET /jobs/{job_id}/result."""
    return Call("GET", f"/jobs/{job_id}/result", api.CalibrateResponse)


def cancel_job(job_id: UUID | str) -> Call[api.Job]:
    """DELETE /jobs/{job_id}."""
    return Call("DELETE", f"/jobs/{job_id}", api.Job)


def theta(user_id: str) -> Call[api.LearnerTheta]:
    """GET /v1/learners/{user_id}/theta."""
    return Call("GET", f"{_learner(user_id)}/theta", api.LearnerTheta)


def theta_history(user_id: str, topic_id: str | None) -> Call[api.ThetaHistory]:
    """GET /v1/learners/{user_id}/theta/history."""
    params = {} if topic_id is None else {"topic_id": topic_id}
    return Call("GET", f"{_learner(user_id)}/theta/history", api.ThetaHistory, params=params)


def reports(user_id: str) -> Call[api.LearnerReports]:
    """GET /v1/learners/{user_id}/reports."""
    return Call("GET", f"{_learner(user_id)}/reports", api.LearnerReports)


def report(user_id: str, week_start: date, report_format: str) -> Call[bytes]:
    """GET /v1/learners/{user_id}/reports/{week_start}/{report_format}."""
    return Call("GET", f"{_learner(user_id)}/reports/{week_start}/{report_format}", bytes)


def report_link(user_id: str, week_start: date, report_format: str) -> Call[api.ReportLink]:
    """GET /v1/learners/{user_id}/reports/{week_start}/{report_format}/link."""
    return Call("GET", f"{_learner(user_id)}/reports/{week_start}/{report_format}/link", api.ReportLink)


def update_theta(user_id: str, body: api.ThetaUpdateRequest) -> Call[api.ThetaUpdated]:
    """POST /v1/learners/{user_id}/theta."""
    return _post(f"{_learner(user_id)}/theta", body, api.ThetaUpdated)


def kpis(user_id: str, weeks: int) -> Call[api.KpiHistory]:
    """GET /v1/learners/{user_id}/kpis."""
    return Call("GET", f"{_learner(user_id)}/kpis", api.KpiHistory, params={"weeks": str(weeks)})


def recompute_week(user_id: str, week_start: date) -> Call[api.WeekRecomputed]:
    """POST /v1/learners/{user_id}/kpis."""
    return _post(f"{_learner(user_id)}/kpis", api.RecomputeRequest(week_start=week_start), api.WeekRecomputed)


def learner_next_items(user_id: str, n: int) -> Call[api.NextItemsResponse]:
    """GET /v1/learners/{user_id}/next-items."""
    return Call("GET", f"{_learner(user_id)}/next-items", api.NextItemsResponse, params={"n": str(n)})


def items(after: str | None, limit: int) -> Call[api.BankPage]:
    """GET /v1/items."""
    return Call("GET", "/v1/items", api.BankPage, params={"limit": str(limit), **({"after": after} if after else {})})


def item(item_id: str) -> Call[api.BankItem]:
    """GET /v1/items/{item_id}."""
    return Call("GET", f"/v1/items/{quote(item_id, safe='')}", api.BankItem)


def item_history(item_id: str) -> Call[api.ItemHistory]:
    """GET /v1/items/{item_id}/history."""
    return Call("GET", f"/v1/items/{quote(item_id, safe='')}/history", api.ItemHistory)


def runs(limit: int) -> Call[api.RunPage]:
    """GET /v1/runs."""
    return Call("GET", "/v1/runs", api.RunPage, params={"limit": str(limit)})


def run(run_id: str) -> Call[api.LedgerRun]:
    """GET /v1/runs/{run_id}."""
    return Call("GET", f"/v1/runs/{quote(run_id, safe='')}", api.LedgerRun)


def drift_alerts() -> Call[api.DriftAlerts]:
    """GET /v1/drift-alerts."""
    return Call("GET", "/v1/drift-alerts", api.DriftAlerts)


def _post(path: str, body: BaseModel, reply: type[T]) -> Call[T]:
    return Call("POST", path, reply, _json(body))


def _json(body: BaseModel) -> bytes:
    return body.model_dump_json(exclude_unset=True).encode()


def _learner(user_id: str) -> str:
    return f"/v1/learners/{quote(user_id, safe='')}"


def _answered(call: Call[T], response: httpx.Response) -> str:
    return f"{call.method} {mask_url(str(response.url))} answered {response.status_code}"


def _refused(call: Call[T], response: httpx.Response) -> ServiceError:
    try:
        body = api.ErrorBody.model_validate_json(response.content)
    except ValidationError:
        body = api.ErrorBody(error=response.text[:200] or response.reason_phrase)
    detail = f": {body.detail}" if body.detail else ""
    return ServiceError(
        mask_text(f"{_answered(call, response)}: {body.error}{detail}"[:2000]),
        status=response.status_code,
        detail=body.detail,
        request_id=body.request_id or response.headers.get("x-request-id"),
    )
