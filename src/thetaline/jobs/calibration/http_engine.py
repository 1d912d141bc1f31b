"""The calibration engine behind R_IRT_BASE_URL: any server with the contract's POST /irt/calibrate."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thetaline import api
from thetaline.client import Client, Retries
from thetaline.client.polling import OnProgress
from thetaline.errors import ServiceError
from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.arrays import Array, Objects
from thetaline.jobs.calibration.engine import (
    AbilityEstimates,
    CalibrationReply,
    CalibrationRequest,
    FitReport,
    ItemEstimates,
    Linking,
    OnCycle,
)
from thetaline.jobs.calibration.observations import Observations
from thetaline.jobs.item_params import parameter_names
from thetaline.masking import without_user
from thetaline.settings import Settings


@dataclass(frozen=True, slots=True)
class HttpEngine:
    """Asks a service, and waits for the job where the service makes one; retries connection errors, 429, 502 to 504."""

    base_url: str
    token: str | None
    timeout_secs: float
    retries: Retries

    @classmethod
    def of(cls, settings: Settings) -> "HttpEngine":
        """By R_IRT_BASE_URL, R_IRT_INTERNAL_TOKEN, R_IRT_TIMEOUT_SECS and MIRT_MAX_RETRIES."""
        token = settings.r_irt_internal_token
        return cls(
            base_url=settings.r_irt_base_url or "",
            token=None if token is None else token.get_secret_value(),
            timeout_secs=settings.r_irt_timeout_secs,
            retries=Retries(settings.mirt_max_retries, settings.mirt_retry_delay_secs),
        )

    @property
    def name(self) -> str:
        """The address, without user and password."""
        return f"IRT service at {without_user(self.base_url)}"

    def calibrate(self, request: CalibrationRequest, *, on_cycle: OnCycle | None = None) -> CalibrationReply:
        """Send the request and wait for the response. Raises ServiceError."""
        with Client(self.base_url, self.token, timeout_secs=self.timeout_secs, retries=self.retries) as client:
            response = client.calibrate(request_json(request), on_progress=_on_progress(on_cycle))
        return reply_of(request, response)


def request_json(request: CalibrationRequest) -> bytes:
    """The contract's body; each id is encoded once, not with every answer."""
    anchors = json.dumps([_anchor(anchor) for anchor in request.anchors])
    head = f'{{"model":{json.dumps(request.model)},"anchors":{anchors},"observations":['
    return b"".join([head.encode(), ",".join(_rows(request.observations)).encode(), b"]}"])


def reply_of(request: CalibrationRequest, response: api.CalibrateResponse) -> CalibrationReply:
    """The response as the job's reply. Raises ServiceError where it is about other items or learners."""
    _require_requested(request, response)
    meta = response.fit_meta
    names = parameter_names(request.model)  # a server may send c = 0 with a 2PL
    return CalibrationReply(
        fit=_report(meta.metrics),
        items=_estimates(response.item_params, names),
        free_anchors=None if response.free_anchors is None else _estimates(response.free_anchors, names),
        abilities=AbilityEstimates(
            user_ids=_ids([one["user_id"] for one in response.abilities]),
            theta=np.array([one["theta"] for one in response.abilities], dtype=np.float64),
            se=np.array([one["se"] for one in response.abilities], dtype=np.float64),
        ),
        linking=_linking(meta.linking_constants),
        not_linked=_not_linked(request, meta),
        population=None if meta.population is None else (meta.population.mean, meta.population.sd),
        item_notes={finding: tuple(names) for finding, names in meta.item_notes.items()},
    )


def _estimates(items: Sequence[api.CalibratedItem], names: Sequence[str]) -> ItemEstimates:
    return ItemEstimates(
        item_ids=_ids([item["item_id"] for item in items]),
        parameters={name: _column([item["params"] for item in items], name) for name in names},
        se={name: _column([item.get("se", {}) for item in items], name) for name in names},
        covariance_ab=_column([{"ab": item.get("cov_ab")} for item in items], "ab"),
    )


def _rows(observations: Observations) -> list[str]:
    users = [json.dumps(str(name)) for name in observations.user_ids]
    items = [json.dumps(str(name)) for name in observations.item_ids]
    times = np.datetime_as_string(observations.responded_at, unit="ms", timezone="UTC").tolist()
    columns = (observations.user.tolist(), observations.item.tolist(), observations.correct.tolist(), times)
    return [
        f'{{"user_id":{users[user]},"item_id":{items[item]},"is_correct":{_TRUTH[correct]},"responded_at":"{at}"}}'
        for user, item, correct, at in zip(*columns, strict=True)
    ]


_TRUTH = ("false", "true")


def _anchor(anchor: AnchorItem) -> dict[str, object]:
    return {"item_id": anchor.item_id, "params": anchor.params(), "fixed": anchor.fixed}


def _on_progress(on_cycle: OnCycle | None) -> OnProgress | None:
    if on_cycle is None:
        return None

    def report_cycle(job: api.Job) -> None:
        if job.progress is not None:
            cycle = job.progress
            on_cycle(cycle.cycle, cycle.log_likelihood or np.nan, cycle.largest_change or np.nan)

    return report_cycle


def _require_requested(request: CalibrationRequest, response: api.CalibrateResponse) -> None:
    requested = {"items": request.observations.item_ids, "learners": request.observations.user_ids}
    returned = {
        "items": [item["item_id"] for item in response.item_params],
        "learners": [one["user_id"] for one in response.abilities],
    }
    for kind, names in requested.items():
        unknown = set(returned[kind]) - set(map(str, names))
        if unknown or len(set(returned[kind])) < len(returned[kind]):
            raise ServiceError(
                f"the IRT service answered for {kind} {sorted(unknown)[:5]} that were not asked for, or twice"
            )


def _report(metrics: api.FitMetrics) -> FitReport:
    return FitReport(
        status=metrics.status or ("converged" if metrics.converged else "not converged"),
        converged=metrics.converged,
        cycles=metrics.cycles,
        log_likelihood=metrics.log_likelihood,
        aic=metrics.aic,
        bic=metrics.bic,
        engine=metrics.engine or "IRT service",
    )


def _linking(constants: api.LinkingConstants | None) -> Linking | None:
    if constants is None:
        return None
    return Linking(
        A=constants.A,
        B=constants.B,
        n_anchors_used=constants.n_anchors_used,
        method=constants.method,
        dropped=dict(constants.dropped),
    )


def _not_linked(request: CalibrationRequest, meta: api.FitMeta) -> str:
    if meta.linking_constants is not None or not request.anchors:
        return ""
    return meta.not_linked or "the IRT service linked to no anchor and gave no reason"


def _ids(names: list[str]) -> Objects:
    return np.array(names, dtype=object)


def _column(rows: list[Mapping[str, float | None]], name: str) -> Array:
    """(I,) NaN where a row has no such parameter."""
    return np.array([np.nan if row.get(name) is None else row[name] for row in rows], dtype=np.float64)
