"""What is wrong with a request is told with the right status and the contract's error body; never a 500."""

import gzip
import json
from typing import Any

import httpx
import pytest
from serving import ITEM, Running, observations, running

from thetaline.service.body_limits import MEDIUM_PATHS

KNOWN = {"error", "detail", "request_id"}


@pytest.fixture(scope="module")
def service(unpublished: Running) -> Running:
    return unpublished


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b'{"item_params": ' + b"[" * 100_000, 400, "not JSON"),
        (b"\xff\xfe{", 400, "not JSON"),
        (json.dumps({"responses": [[1]]}).encode("utf-16"), 400, "not JSON"),
        (b"[]", 422, "not valid"),
        (b'"text"', 422, "not valid"),
        (b'{"item_params": [], "responses": [[1]]}', 422, "not valid"),
        (b'{"item_params": [{"item_id": "1", "a": NaN, "b": 0}], "responses": [[1]]}', 422, "not valid"),
        (b'{"item_params": [{"item_id": "1", "a": 1, "b": Infinity}], "responses": [[1]]}', 422, "not valid"),
        (b'{"item_params": [{"item_id": "1", "a": 1, "b": 1e400}], "responses": [[1]]}', 422, "not valid"),
        (b'{"item_params": [{"item_id": "1", "a": "1", "b": 0}], "responses": [[1]]}', 422, "not valid"),
        (
            b'{"item_params": [{"item_id": "1", "a": 1, "b": 0, "c": 0.9, "d": 0.5}], "responses": [[1]]}',
            422,
            "not valid",
        ),
        (b'{"item_params": [{"item_id": "1", "a": 1, "b": 0}], "responses": [[2]]}', 422, "not valid"),
        (b'{"item_params": [{"item_id": "1", "a": 1, "b": 0}], "responses": [["1"]]}', 422, "not valid"),
        (b'{"item_params": [{"item_id": "1", "a": 1, "b": 0}], "responses": [[1, 0]]}', 422, "not valid"),
        (b'{"item_params": [{"item_id": "1", "a": 1, "b": 0}], "responses": []}', 422, "not valid"),
        (b'{"item_params": {"1": {"a": 1, "b": 0}}, "responses": [[1]]}', 422, "not valid"),
        (
            b'{"item_params": [{"item_id": "1", "a": 1, "b": 0}], "responses": [[1]], "methode": "EAP"}',
            422,
            "not valid",
        ),
        (
            b'{"item_params": [{"item_id": "1", "a": 1, "b": 0}, {"item_id": "1", "a": 2, "b": 0}],"responses": [[1]]}',
            422,
            "not valid",
        ),
    ],
)
def test_a_wrong_body_is_refused_in_words(service: Running, body: bytes, status: int, said: str) -> None:
    with service.client() as client:
        answer = client.post("/irt/score", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json().keys()) == (status, KNOWN)
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"model": "2PL"}, "observations or responses"),
        ({"observations": [], "model": "2PL"}, "at least 1"),
        ({"observations": [{"user_id": "u", "item_id": "1", "is_correct": 0.5}]}, "True, False, 0, 1 or None"),
        ({"observations": [{"user_id": 5, "item_id": "1", "is_correct": True}]}, "string"),
        ({"observations": [{"user_id": "u", "item_id": "1"}]}, "required"),
        ({"observations": [{"user_id": "u", "item_id": "1", "is_correct": True, "responded_at": "soon"}]}, "datetime"),
        ({"responses": [[1, 0], [1]]}, "one length"),
        ({"responses": [[None, None]]}, "no observation is answered"),
        ({"responses": [[1]], "model": "5PL"}, "2PL"),
        ({"responses": [[1]], "anchor": []}, "not permitted"),
        ({"responses": [[1]], "anchors": [{"item_id": "1", "params": {"a": -1, "b": 0}}]}, "a > 0"),
        ({"responses": [[1]], "anchors": [{"item_id": "1", "params": {"a": 5e-324, "b": 0}}]}, "1e-06"),
    ],
)
def test_a_wrong_calibration_is_a_422_that_says_why(service: Running, body: dict[str, Any], said: str) -> None:
    with service.client() as client:
        answer = client.post("/irt/calibrate", json=body)
    assert (answer.status_code, answer.json().keys()) == (422, KNOWN)
    assert said in answer.text


def test_a_thousand_faults_are_not_repeated_a_thousand_times(service: Running) -> None:
    body = {"item_params": [{"item_id": str(i), "a": "x", "b": "y"} for i in range(1000)], "responses": [[1]]}
    with service.client() as client:
        answer = client.post("/irt/score", json=body)
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) <= 20
    assert "further faults" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/irt/score", "/irt/calibrate"])
def test_an_unknown_field_is_named_in_short_and_costs_no_process(service: Running, path: str) -> None:
    pids = service.services.dispatcher.pids
    body = {"item_params": [ITEM], "responses": [[1]]} if path == "/irt/score" else {"responses": [[1]]}
    with service.client() as client:
        answer = client.post(path, json={**body, "x" * 2_000_000: 1})
    assert (answer.status_code, answer.json().keys()) == (422, KNOWN)
    assert answer.json()["detail"][0]["loc"] == ["x" * 300]
    assert service.services.dispatcher.pids == pids


def _anchored(model: str, fixed: bool, *params: dict[str, float]) -> dict[str, Any]:
    anchors = [{"item_id": str(101 + i), "params": one, "fixed": fixed} for i, one in enumerate(params)]
    return {"observations": observations(n_users=60, n_items=6), "model": model, "anchors": anchors}


def test_anchors_that_hold_no_scale_are_a_422_in_words(service: Running) -> None:
    with service.client() as client:
        answer = client.post("/irt/calibrate", json=_anchored("1PL", False, *[{"a": 50, "b": 50}] * 5))
    assert (answer.status_code, answer.json().keys()) == (422, KNOWN), answer.text
    assert "the fit broke down on these numbers" in answer.json()["error"]


def test_anchors_without_agreement_leave_the_scale_alone_and_say_why(service: Running) -> None:
    with service.client() as client:
        answer = client.post("/irt/calibrate", json=_anchored("3PL", False, *[{"a": 100, "b": 100}] * 3))
    meta = answer.json()["fit_meta"]
    assert (meta["linked"], meta["linking_constants"]) == (False, None)
    assert "anchors" in meta["not_linked"]


@pytest.mark.parametrize(("model", "b"), [("2PL", -50.0), ("Rasch", -100.0)])
def test_learners_are_found_beside_anchors_however_steep_and_far(service: Running, model: str, b: float) -> None:
    with service.client() as client:
        answer = client.post("/irt/calibrate", json=_anchored(model, True, *[{"a": 100, "b": b}] * 2))
    assert answer.json()["fit_meta"]["population"]["mean"] == pytest.approx(b, abs=0.1)


@pytest.mark.parametrize("method", ["haebara", "stocking-lord"])
@pytest.mark.parametrize("params", [{"a": 100, "b": 100}, {"a": 1e-6, "b": 100}, {"a": 0, "b": 0}])
def test_banks_that_carry_no_scale_are_a_422_in_words(service: Running, params: dict[str, float], method: str) -> None:
    alike = {str(i): params for i in range(3)}
    body = {"new": alike, "reference": {**alike, "0": {"a": 1, "b": 0}}, "method": method}
    with service.client() as client:
        answer = client.post("/irt/link", json=body)
    assert (answer.status_code, answer.json().keys()) == (422, KNOWN), answer.text


def test_values_of_the_body_are_not_repeated(service: Running) -> None:
    with service.client() as client:
        answer = client.post("/irt/score", json={"item_params": "a learner's secret", "responses": [[1]]})
    assert "a learner's secret" not in answer.text


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", ""])
def test_another_content_type_is_a_415(service: Running, kind: str) -> None:
    with service.client() as client:
        answer = client.post("/irt/score", content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415
    assert answer.json()["detail"] == {"known": ["application/json"]}


def test_unknown_paths_and_methods_have_the_same_error_body(service: Running) -> None:
    with service.client() as client:
        absent, wrong = client.get("/irt/nothing"), client.get("/irt/score")
    assert (absent.status_code, absent.json().keys()) == (404, KNOWN)
    assert (wrong.status_code, wrong.json().keys()) == (405, KNOWN)


def test_a_wrong_parameter_is_a_422_that_names_it(service: Running) -> None:
    with service.client() as client:
        answer = client.get("/v1/items", params={"limit": "many"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "limit"]


def test_more_answers_than_one_request_may_score_are_a_413_and_as_many_are_scored(database: str) -> None:
    with running(database, service_max_observations=3) as service, service.client() as client:
        asked = {"item_params": [ITEM, {**ITEM, "item_id": "2"}], "responses": [[1, 0], [1, None]]}
        assert client.post("/irt/score", json=asked).status_code == 200
        refused = client.post("/irt/score", json={**asked, "responses": [[1, 0], [1, 1]]})
    assert refused.status_code == 413
    assert refused.json()["error"] == "4 answers; at most 3 are scored in one request"


def test_a_body_that_says_it_is_too_large_is_a_413_before_it_is_read(service: Running) -> None:
    with service.client() as client:
        answer = client.post(
            "/v1/learners/u1/theta", content=b"x" * 1_000_001, headers={"content-type": "application/json"}
        )
    assert answer.status_code == 413
    assert "larger than 1000000 bytes" in answer.json()["error"]


@pytest.mark.parametrize("path", MEDIUM_PATHS)
def test_a_fit_takes_the_rows_of_a_school(service: Running, path: str) -> None:
    with service.client() as client:
        answer = client.post(path, content=b"x" * 1_000_001, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "the body is not JSON")


def test_a_body_that_grows_too_large_is_a_413(service: Running) -> None:
    with service.client() as client:
        answer = client.post(
            "/v1/learners/u1/theta",
            content=(b"x" * 100_000 for _ in range(11)),
            headers={"content-type": "application/json"},
        )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", {"responses": [[0, 1], [1, 0], [1, 1]], "model": "2PL"}),
        ("application/x-ndjson", {"model": "2PL"}),
    ],
)
def test_a_model_in_the_query_that_is_not_the_bodys_is_a_422(service: Running, kind: str, body: dict[str, Any]) -> None:
    with service.client() as client:
        answer = client.post(
            "/irt/calibrate", content=json.dumps(body), headers={"content-type": kind}, params={"model": "3PL"}
        )
    assert (answer.status_code, "the body asks for the model 2PL, ?model= for 3PL" in answer.text) == (422, True)


def test_a_gzip_bomb_is_a_413(service: Running) -> None:
    bomb = gzip.compress(b" " * 300_000_000, compresslevel=9, mtime=0)
    assert len(bomb) < 1_000_000
    with service.client() as client:
        answer = client.post(
            "/irt/score", content=bomb, headers={"content-type": "application/json", "content-encoding": "gzip"}
        )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b"{}", mtime=0)[:-6], "gzip", 400),
        (gzip.compress(b"{}", mtime=0) + b"more", "gzip", 400),
        (b"not gzip", "gzip", 400),
        (b"{}", "br", 415),
    ],
)
def test_a_broken_or_unknown_encoding_is_refused(service: Running, body: bytes, encoding: str, status: int) -> None:
    headers = {"content-type": "application/json", "content-encoding": encoding}
    with service.client() as client:
        assert client.post("/irt/score", content=body, headers=headers).status_code == status


def test_a_gzipped_body_is_read_like_a_plain_one(service: Running) -> None:
    body = json.dumps({"item_params": [ITEM], "responses": [[1]]}).encode()
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    with service.client() as client:
        answer = client.post("/irt/score", content=gzip.compress(body, mtime=0), headers=headers)
        assert (
            answer.json()
            == client.post("/irt/score", content=body, headers={"content-type": "application/json"}).json()
        )


def test_a_request_id_of_the_client_comes_back_and_a_strange_one_does_not(service: Running) -> None:
    with service.client() as client:
        kept = client.get("/irt/nothing", headers={"x-request-id": "exam-7.a"})
        replaced = client.get("/irt/nothing", headers={"x-request-id": "a b\tc"})
    assert kept.headers["x-request-id"] == kept.json()["request_id"] == "exam-7.a"
    assert replaced.headers["x-request-id"] == replaced.json()["request_id"] != "a b\tc"


def test_a_defect_of_ours_is_told_without_its_trace(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_args: object, **_options: object) -> bytes:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("thetaline.service.routes.irt.scoring_input", defect)
    with service.client() as client:
        answer: httpx.Response = client.post("/irt/score", json={"item_params": [ITEM], "responses": [[1]]})
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
