"""The answers that the contract writes down."""

from typing import get_args

import numpy as np
import pytest
from serving import CONTRACT_PAYLOAD, INTERNAL, Running, observations

from thetaline import Client, api, irt
from thetaline.api.base import DichotomousModel, Params
from thetaline.service.scoring import bank_of
from thetaline.service.tokens import Scope


@pytest.fixture(scope="module")
def service(unpublished: Running) -> Running:
    return unpublished


def test_health_is_answered_as_the_contract_writes_it(service: Running) -> None:
    with service.client(token=None) as client:
        assert client.get("/healthz").json() == {"status": "ok", "service": "r-irt-plumber", "version": "1.0.0"}


def test_the_seed_payload_is_answered_in_the_contracts_shape(service: Running) -> None:
    with service.client() as client:
        answer = client.post("/irt/calibrate", json=CONTRACT_PAYLOAD)
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ok"
    meta = body["fit_meta"]
    assert meta["run_id"].startswith("fit-20")
    assert meta["run_id"].endswith("Z")
    assert meta["model_spec"] == {"model": "2PL", "n_items": 1, "n_users": 1, "n_anchors": 1}
    assert meta["linking_constants"].items() >= {"A": 1.0, "B": 0.0, "n_anchors_used": 1}.items()
    assert meta["metrics"].keys() >= {"log_likelihood", "aic", "bic", "cycles", "converged"}
    assert body["item_params"] == [{"item_id": "101", "params": {"a": 1.2, "b": 0.5, "c": 0.0}, "se": {}}]
    assert [one["user_id"] for one in body["abilities"]] == ["u1"]


def test_without_anchors_the_linking_constants_are_null(service: Running) -> None:
    with service.client() as client:
        body = client.post("/irt/calibrate", json={"observations": observations(n_users=60, n_items=6)}).json()
    assert body["fit_meta"]["linking_constants"] is None
    assert body["fit_meta"]["linked"] is False
    assert len(body["item_params"]) == 6
    assert len(body["abilities"]) == 60


def test_a_matrix_is_calibrated_like_the_observations_it_stands_for(service: Running) -> None:
    rows = observations(n_users=60, n_items=6)
    matrix = [[int(row["is_correct"]) for row in rows[start : start + 6]] for start in range(0, 360, 6)]
    matrix[0][0] = None
    with service.client() as client:
        by_matrix = client.post("/irt/calibrate", json={"responses": matrix}).json()
        by_rows = client.post("/irt/calibrate", json={"observations": rows[1:]}).json()
    a = {one["item_id"]: one["params"]["a"] for one in by_matrix["item_params"]}
    expected = {str(int(one["item_id"]) - 100): one["params"]["a"] for one in by_rows["item_params"]}
    assert a == pytest.approx(expected, abs=1e-9)


def test_unanswered_is_missing_and_not_wrong(service: Running) -> None:
    rows = observations(n_users=60, n_items=6)
    skipped = [{"user_id": "u0", "item_id": "107", "is_correct": None}]
    with service.client() as client:
        with_it = client.post("/irt/calibrate", json={"observations": [*rows, *skipped]}).json()
    assert "107" not in {one["item_id"] for one in with_it["item_params"]}


def test_of_two_answers_to_an_item_the_first_in_time_counts(service: Running) -> None:
    rows = observations(n_users=60, n_items=6)
    for row in rows:
        row["responded_at"] = "2025-11-02T00:00:00Z"
    later = [{**row, "is_correct": not row["is_correct"], "responded_at": "2025-11-03T00:00:00Z"} for row in rows[:30]]
    with service.client() as client:
        once = client.post("/irt/calibrate", json={"observations": rows}).json()
        twice = client.post("/irt/calibrate", json={"observations": [*later, *rows]}).json()
    assert _a(twice) == pytest.approx(_a(once), abs=1e-9)


def test_of_two_answers_to_an_item_the_first_one_is_scored(service: Running) -> None:
    def row(item: str, correct: bool) -> dict[str, object]:
        return {"user_id": "u", "item_id": item, "is_correct": correct}

    once = [row("101", True), row("102", True)]
    with service.client() as client:
        said = [
            client.post("/irt/score", json={"item_params": ITEMS, "responses": rows}).json()["abilities"]
            for rows in (once, [once[0], row("101", False), once[1], row("102", False)])
        ]
    assert said[0] == said[1]


def _a(body: dict[str, object]) -> dict[str, float]:
    return {one["item_id"]: one["params"]["a"] for one in body["item_params"]}  # type: ignore[index, attr-defined]


ITEMS = [{"item_id": "101", "a": 1.2, "b": 0.5}, {"item_id": "102", "a": 0.8, "b": -0.3, "c": 0.2}]


def test_positional_scores_are_those_of_the_library(service: Running) -> None:
    with service.client() as client:
        answer = client.post(
            "/irt/score", json={"item_params": ITEMS, "responses": [[1, 0], [None, True], [None, None]]}
        )
    items = irt.Items(ids=["101", "102"], model=["2PL", "3PL"], a=[1.2, 0.8], b=[0.5, -0.3], c=[np.nan, 0.2])
    responses = irt.Responses.from_matrix([[1, 0], [np.nan, 1], [np.nan, np.nan]], items=["101", "102"])
    expected = irt.score(responses, items, method="EAP")
    assert answer.json()["status"] == "ok"
    assert [one["theta"] for one in answer.json()["abilities"]] == pytest.approx(expected.theta.tolist(), abs=1e-12)
    assert [one["se"] for one in answer.json()["abilities"]] == pytest.approx(expected.se.tolist(), abs=1e-12)
    assert answer.json()["abilities"][2] == {"theta": 0.0, "se": 1.0}


def test_the_models_of_a_request_are_the_dichotomous_families() -> None:
    assert get_args(DichotomousModel) == tuple(one.name for one in irt.FAMILIES.values() if not one.polytomous)


def test_an_item_without_asymptotes_is_one_whose_asymptotes_are_0_and_1() -> None:
    given = [{}, {"c": 0.2}, {"d": 0.9}, {"c": 0.2, "d": 0.9}]
    bank = bank_of({str(n): Params(a=1.2, b=0.5, **rest) for n, rest in enumerate(given)})
    theta = np.array([-1.0, 0.0, 2.0])
    c, d = (np.array([[one.get(name, absent)] for one in given]) for name, absent in (("c", 0.0), ("d", 1.0)))
    assert bank.expected_score(theta) == pytest.approx(c + (d - c) / (1 + np.exp(-1.2 * (theta - 0.5))))


def test_keyed_scores_equal_positional_ones_and_name_the_learners_in_order(service: Running) -> None:
    keyed = {
        "item_params": {one["item_id"]: {k: v for k, v in one.items() if k != "item_id"} for one in ITEMS},
        "responses": [
            {"user_id": "second", "item_id": "102", "is_correct": True},
            {"user_id": "first", "item_id": "102", "is_correct": False},
            {"user_id": "first", "item_id": "101", "is_correct": True},
            {"user_id": "third", "item_id": "101", "is_correct": None},
        ],
    }
    positional = {"item_params": ITEMS, "responses": [[None, 1], [1, 0], [None, None]]}
    with service.client() as client:
        by_key, by_place = (client.post("/irt/score", json=body).json()["abilities"] for body in (keyed, positional))
    assert [one.pop("user_id") for one in by_key] == ["second", "first", "third"]
    assert by_key == by_place


@pytest.mark.parametrize(("a", "answer"), [(1.0, None), (0.0, 1)])
def test_where_the_answers_say_nothing_wle_is_null_also_for_the_typed_client(
    service: Running, a: float, answer: int | None
) -> None:
    asked = {"item_params": [{"item_id": "1", "a": a, "b": 0.0}], "responses": [[answer]], "method": "WLE"}
    with Client(service.url, INTERNAL) as client:
        assert client.score(api.ScoreRequest.model_validate(asked)).abilities == [{"theta": None, "se": None}]
    shown = service.app.openapi()["components"]["schemas"]["Ability"]["properties"]
    assert [{"type": "null"} in shown[name]["anyOf"] for name in ("theta", "se")] == [True, True]


def test_an_item_that_the_bank_lacks_is_named(service: Running) -> None:
    body = {"item_params": {"1": {"a": 1, "b": 0}}, "responses": [{"user_id": "u", "item_id": "9", "is_correct": True}]}
    with service.client() as client:
        answer = client.post("/irt/score", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"] == ["9"]


def test_linking_finds_the_transformation_that_was_applied(service: Running) -> None:
    reference = {str(i): {"a": 0.8 + 0.1 * i, "b": -1 + 0.5 * i} for i in range(6)}
    new = {name: {"a": one["a"] * 1.25, "b": (one["b"] - 0.3) / 1.25} for name, one in reference.items()}
    with service.client() as client:
        body = client.post("/irt/link", json={"new": new, "reference": reference}).json()
    assert (body["A"], body["B"], body["n_anchors_used"]) == (pytest.approx(1.25), pytest.approx(0.3), 6)
    assert body["item_params"]["3"]["b"] == pytest.approx(0.5)


def test_information_is_the_librarys_and_adds_up(service: Running) -> None:
    body = {"item_params": ITEMS, "theta": [-1.0, 0.0, 1.0]}
    with service.client() as client:
        answer = client.post("/irt/information", json=body).json()
    items = irt.Items(ids=["101", "102"], model=["2PL", "3PL"], a=[1.2, 0.8], b=[0.5, -0.3], c=[np.nan, 0.2])
    expected = items.information(np.array([-1.0, 0.0, 1.0]))
    assert np.array([one["information"] for one in answer["items"]]) == pytest.approx(expected)
    assert answer["test_information"] == pytest.approx(expected.sum(axis=0).tolist())
    assert answer["se"] == pytest.approx((1 / np.sqrt(expected.sum(axis=0))).tolist())


def test_the_next_items_are_the_most_informative_ones_not_yet_answered(service: Running) -> None:
    bank = [{"item_id": str(i), "a": 1.0, "b": -2 + 0.5 * i} for i in range(9)]
    body = {"item_params": bank, "theta": 0.1, "answered": ["4"], "n": 3}
    with service.client() as client:
        answer = client.post("/irt/next-items", json=body).json()
    assert [one["item_id"] for one in answer["items"]] == ["5", "3", "6"]


def test_every_contract_path_is_there_under_v1_too(service: Running) -> None:
    paths = service.app.openapi()["paths"]
    for path in ("/irt/calibrate", "/irt/score", "/jobs/{job_id}"):
        assert path in paths
        assert f"/v1{path}" in paths


def test_the_document_asks_for_any_token_and_its_page_needs_no_second_request(service: Running) -> None:
    with service.client(token=None) as client:
        assert [client.get(path).status_code for path in ("/openapi.json", "/docs")] == [401, 401]
    with service.client(service.token(Scope.READ_SELF, user_id="anna")) as client:
        assert client.get("/openapi.json").json() == service.app.openapi()
        page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/v1/learners/{user_id}/theta" in page.text


def test_every_request_body_in_the_document_has_an_example(service: Running) -> None:
    document = service.app.openapi()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if "requestBody" in operation:
                reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                schema = document["components"]["schemas"][reference.rsplit("/", 1)[1]]
                examples = schema.get("examples") or [
                    one for one in schema["properties"].values() if one.get("examples")
                ]
                assert examples, path
