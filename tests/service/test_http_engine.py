"""The nightly job's fit over HTTP: the result that this process would have, and what a silent service comes to."""

import json
from typing import Any

import numpy as np
import pytest
from serving import INTERNAL, Running, answering, observations

from thetaline.client import Retries, calls
from thetaline.errors import ServiceError
from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.engine import CalibrationReply, CalibrationRequest
from thetaline.jobs.calibration.http_engine import HttpEngine, request_json
from thetaline.jobs.calibration.in_process_engine import InProcessEngine
from thetaline.jobs.calibration.nightly_fit import call_calibrate, engine_of
from thetaline.jobs.calibration.observations import Observations
from thetaline.settings import load

ANCHORS = tuple(AnchorItem(str(101 + i), a=1.1, b=-1.2 + 0.4 * i) for i in range(5))


def _request(model: str = "2PL", anchors: tuple[AnchorItem, ...] = ANCHORS) -> CalibrationRequest:
    rows = observations(n_users=150, n_items=10)
    users, user = np.unique([row["user_id"] for row in rows], return_inverse=True)
    items, item = np.unique([row["item_id"] for row in rows], return_inverse=True)
    answers = Observations(
        user_ids=users.astype(object),
        item_ids=items.astype(object),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        correct=np.array([row["is_correct"] for row in rows], dtype=np.uint8),
        responded_at=np.full(len(rows), np.datetime64("2025-11-01T09:00:00", "us")),
    )
    return CalibrationRequest(answers, model, anchors)


def _engine(url: str, **options: Any) -> HttpEngine:
    return HttpEngine(url, INTERNAL, **{"timeout_secs": 60.0, "retries": Retries(3, 0.01), **options})


def _assert_same(ours: CalibrationReply, theirs: CalibrationReply) -> None:
    for name, values in theirs.items.parameters.items():
        assert _by_id(ours.items.item_ids, ours.items.parameters[name]) == pytest.approx(
            _by_id(theirs.items.item_ids, values), abs=1e-9
        )
    for name, values in theirs.items.se.items():
        assert _by_id(ours.items.item_ids, ours.items.se[name]) == pytest.approx(
            _by_id(theirs.items.item_ids, values), abs=1e-9, nan_ok=True
        )
    for name in ("theta", "se"):
        mine, other = (_by_id(one.abilities.user_ids, getattr(one.abilities, name)) for one in (ours, theirs))
        assert mine == pytest.approx(other, abs=1e-9)
    assert ours.linking == theirs.linking or (
        ours.linking is not None
        and theirs.linking is not None
        and pytest.approx((theirs.linking.A, theirs.linking.B), abs=1e-9) == (ours.linking.A, ours.linking.B)
    )
    assert ours.fit.log_likelihood == pytest.approx(theirs.fit.log_likelihood, rel=1e-12)
    assert ours.not_linked == theirs.not_linked
    assert ours.item_notes == theirs.item_notes


def _by_id(ids: Any, values: Any) -> dict[str, float]:
    return dict(zip(ids.tolist(), values.tolist(), strict=True))


@pytest.fixture(scope="module")
def service(unpublished: Running) -> Running:
    return unpublished


@pytest.mark.parametrize(
    ("model", "anchors"),
    [
        ("2PL", ANCHORS),
        ("2PL", ()),
        ("3PL", ()),
        ("Rasch", ()),
        ("2PL", tuple(AnchorItem(one.item_id, one.a, one.b, fixed=True) for one in ANCHORS)),
        ("2PL", ANCHORS[:2]),
    ],
)
def test_the_service_answers_what_this_process_would(
    service: Running, model: str, anchors: tuple[AnchorItem, ...]
) -> None:
    request = _request(model, anchors)
    _assert_same(_engine(service.url).calibrate(request), InProcessEngine().calibrate(request))


def test_the_job_asks_the_service_that_its_settings_name(service: Running) -> None:
    asked = load(r_irt_base_url=service.url, r_irt_internal_token=INTERNAL)
    here, there = (call_calibrate(_request(), settings=settings) for settings in (load(r_irt_base_url=None), asked))
    _assert_same(there, here)
    with service.client() as client:
        assert (
            'thetaline_requests_total{method="POST",route="/irt/calibrate",status="200"}' in client.get("/metrics").text
        )


def test_a_fit_that_the_service_queues_is_waited_for(queueing: Running) -> None:
    heard: list[int] = []
    reply = _engine(queueing.url).calibrate(_request(), on_cycle=lambda cycle, _l, _c: heard.append(cycle))
    _assert_same(reply, InProcessEngine().calibrate(_request()))


def test_the_settings_choose_the_engine() -> None:
    engine = engine_of(
        load(r_irt_base_url="http://irt.internal:8000", r_irt_internal_token=INTERNAL, r_irt_timeout_secs=7)
    )
    assert engine == HttpEngine("http://irt.internal:8000", INTERNAL, 7.0, Retries(3, 0.5))
    assert engine.name == "IRT service at http://irt.internal:8000"
    assert isinstance(engine_of(load(r_irt_base_url=None)), InProcessEngine)


@pytest.mark.parametrize("user", ["", "night:s3cret@", "s3cret@", "night:s3/cr@et@"])
def test_the_engine_is_named_by_its_address_without_user_and_password(user: str) -> None:
    engine = engine_of(load(r_irt_base_url=f"https://{user}irt.internal:8000/v1"))
    assert engine.name == "IRT service at https://irt.internal:8000/v1"


def test_a_timed_out_service_is_told_in_words() -> None:
    with answering([]) as (url, _asked), pytest.raises(ServiceError, match="got no answer"):
        _engine(url, timeout_secs=0.3).calibrate(_request())


def test_the_body_is_the_contracts_with_the_anchors_in_it() -> None:
    body = json.loads(request_json(_request()))
    assert body["observations"][0] == {
        "user_id": "u0",
        "item_id": "101",
        "is_correct": True,
        "responded_at": "2025-11-01T09:00:00.000Z",
    }
    assert body["anchors"][0] == {"item_id": "101", "params": {"a": 1.1, "b": -1.2}, "fixed": False}


# A server of another make: the contract's answer and nothing more.
OTHER = {
    "status": "ok",
    "fit_meta": {
        "run_id": "fit-2025-11-02T04:15:23Z",
        "model_spec": {"model": "2PL", "n_items": 1, "n_users": 1, "n_anchors": 5},
        "linking_constants": {"A": 1.02, "B": 0.05, "n_anchors_used": 5, "method": "stocking-lord"},
        "metrics": {"log_likelihood": -1.0, "aic": 6.0, "bic": 6.5, "cycles": 9, "converged": True},
    },
    "item_params": [{"item_id": "101", "params": {"a": 1.2, "b": 0.5, "c": 0.0}, "se": {"a": 0.1, "b": 0.1}}],
    "abilities": [{"user_id": "u1", "theta": 0.3, "se": 0.4}],
}


def test_any_server_with_the_contract_will_do() -> None:
    with answering([(200, {}, OTHER)]) as (url, _asked):
        reply = _engine(url).calibrate(_request())
    assert reply.items.parameters.keys() == {"a", "b"}
    assert (reply.items.item_ids.tolist(), reply.items.parameters["a"].tolist()) == (["101"], [1.2])
    assert reply.linking is not None
    assert (reply.linking.A, reply.linking.method) == (1.02, "stocking-lord")
    assert (reply.fit.engine, reply.fit.status, reply.population) == ("IRT service", "converged", None)


def test_a_server_that_knows_no_jobs_answers_a_fit_that_is_not_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calls.JOB_BYTES, calls.JSON, 1000)
    with answering([(200, {}, OTHER)]) as (url, _asked):
        assert _engine(url).calibrate(_request()).fit.cycles == 9


def test_three_retries_are_made_and_a_fourth_failure_stands() -> None:
    error = {"error": "busy", "detail": None}
    answers: list[Any] = [(status, {}, error) for status in (503, 429, 502, 504)]
    with answering(answers) as (url, asked), pytest.raises(ServiceError, match="answered 504: busy") as failed:
        _engine(url).calibrate(_request())
    assert (len(asked), failed.value.status) == (4, 504)


def test_nobody_at_the_address_is_told_in_words() -> None:
    with pytest.raises(ServiceError, match="got no answer"):
        _engine("http://127.0.0.1:9").calibrate(_request())


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    answers: list[Any] = [(status, {}, {"error": "no", "detail": ["why"]})]
    with answering(answers) as (url, asked), pytest.raises(ServiceError, match=f"answered {status}: no") as refused:
        _engine(url).calibrate(_request())
    assert len(asked) == 1
    assert refused.value.detail == ["why"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"item_params": [{"item_id": "777", "params": {"a": 1, "b": 0}}]}, r"items \['777'\] that were not asked"),
        ({"abilities": [{"user_id": "stranger", "theta": 0, "se": 1}]}, "learners"),
        ({"abilities": "none"}, "outside the contract"),
        ({"fit_meta": {}}, "outside the contract"),
    ],
)
def test_an_answer_about_something_else_is_refused(change: dict[str, Any], said: str) -> None:
    with answering([(200, {}, {**OTHER, **change})]) as (url, _asked), pytest.raises(ServiceError, match=said):
        _engine(url).calibrate(_request())


def test_a_linking_that_turns_the_scale_round_is_refused() -> None:
    meta = {**OTHER["fit_meta"], "linking_constants": {"A": -1.0, "B": 0, "n_anchors_used": 5, "method": "x"}}  # type: ignore[dict-item]
    answers: list[Any] = [(200, {}, {**OTHER, "fit_meta": meta})]
    with answering(answers) as (url, _asked), pytest.raises(ServiceError, match="linking_constants"):
        _engine(url).calibrate(_request())
