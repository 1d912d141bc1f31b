"""What takes long is worked off by a fit process: the loop that serves everybody else goes on."""

import gzip
import json
from typing import Any

import pytest
from serving import Running, fits_done

from thetaline.api import ScoreRequest
from thetaline.service.scoring import scoring_input

ITEMS = [{"item_id": str(i), "a": 1.0, "b": i / 20 - 1} for i in range(40)]


def scored(service: Running, body: dict[str, Any]) -> list[dict[str, Any]]:
    packed = gzip.compress(json.dumps(body).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    with service.client() as client:
        return client.post("/irt/score", content=packed, headers=headers).raise_for_status().json()["abilities"]


def long_is(body: dict[str, Any]) -> bool:
    return scoring_input(ScoreRequest.model_validate(body), most=10**6).is_long


@pytest.fixture(scope="module")
def service(unpublished: Running) -> Running:
    return unpublished


def test_many_learners_in_few_bytes_are_scored_by_a_process(service: Running) -> None:
    before = fits_done(service, "score")
    few = scored(service, {"item_params": ITEMS[:1], "responses": [[1], [0], [None]]})
    assert fits_done(service, "score") == before
    many = scored(service, {"item_params": ITEMS[:1], "responses": [[1], [0], [None]] * 20_000})
    assert fits_done(service, "score") == before + 1
    assert len(many) == 60_000
    assert [one["theta"] for one in many[-3:]] == pytest.approx([one["theta"] for one in few])


@pytest.mark.parametrize(
    ("method", "n_learners", "long"), [("EAP", 1_000, False), ("WLE", 300, False), ("WLE", 1_000, True)]
)
def test_the_scorer_counts_too(method: str, n_learners: int, long: bool) -> None:
    rows = [[1, 0] * 20] * n_learners
    assert long_is({"item_params": ITEMS, "responses": rows, "method": method}) is long
    keyed = [
        {"user_id": f"u{n}", "item_id": item["item_id"], "is_correct": True}
        for n in range(n_learners)
        for item in ITEMS
    ]
    assert long_is({"item_params": ITEMS, "responses": keyed, "method": method}) is long


def test_a_large_bank_is_linked_by_a_process_with_the_same_result(service: Running) -> None:
    def linked(n: int) -> dict[str, Any]:
        new = {str(i): {"a": 1.0 + i % 3 / 10, "b": i % 40 / 20 - 1} for i in range(n)}
        moved = {name: {"a": one["a"] / 2, "b": 2 * one["b"] + 1} for name, one in new.items()}
        with service.client() as client:
            body = {"new": new, "reference": moved, "method": "mean-sigma"}
            return client.post("/irt/link", json=body).raise_for_status().json()

    before = fits_done(service, "link")
    for n, more in ((40, 0), (400, 1)):
        answer = linked(n)
        assert (answer["A"], answer["B"]) == pytest.approx((2.0, 1.0))
        assert fits_done(service, "link") == before + more


def test_a_vanishing_discrimination_is_refused(service: Running) -> None:
    with service.client() as client:
        body = {"item_params": [{"item_id": "1", "a": 5e-324, "b": 0.0}], "responses": [[1]]}
        refused = client.post("/irt/score", json=body)
    assert refused.status_code == 422
    assert "neither 0 nor at least 1e-06" in refused.text
