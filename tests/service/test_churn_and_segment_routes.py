"""The hazard of silence and segments over HTTP: what the library says, why there is none, and who may not ask."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from benchmarks.churn import N_DAYS, START, driven_by_accuracy
from benchmarks.segments import NAMES, separated, table
from serving import INTERNAL, Running

from thetaline import Client, api
from thetaline.learning.windows import date_of_number
from thetaline.service.tokens import Scope

LAST = date_of_number(START + N_DAYS - 1)
ONE_DAY = [{"user_id": "u1", "date": "2025-02-03"}]


@pytest.fixture(scope="module")
def service(unpublished: Running) -> Running:
    return unpublished


def activity() -> list[dict[str, Any]]:
    found = driven_by_accuracy(np.random.default_rng(2), 140)
    _, first = np.unique(np.stack([found.learner, found.day]), axis=1, return_index=True)
    columns = (found.learner[first].tolist(), found.day[first].tolist(), found.correct[first].tolist())
    return [
        {"user_id": f"u{user}", "date": str(date_of_number(day)), "is_correct": bool(right)}
        for user, day, right in zip(*columns, strict=True)
    ]


def features() -> list[dict[str, Any]]:
    rng = np.random.default_rng(4)
    given = table(separated(rng, 120).scores, rng)
    return [
        {
            "user_id": user,
            "features": {name: None if np.isnan(value) else value for name, value in zip(NAMES, row, strict=True)},
        }
        for user, row in zip(given.user_ids.tolist(), given.values.tolist(), strict=True)
    ]


def test_the_risk_of_everybody_at_risk_is_told_with_the_accuracy_of_each_group(service: Running) -> None:
    rows = activity()
    users = sorted({row["user_id"] for row in rows})
    with service.client() as client:
        body = client.post(
            "/survival/fit", json={"rows": rows, "as_of": str(LAST), "groups": dict.fromkeys(users[::2], "1a")}
        ).json()
    assert body["status"] == "ok"
    assert body["fit_meta"]["in_force"] in ("landmark_hazard", "inactivity")
    assert "Never shown to learners" in body["fit_meta"]["intended_use"]
    last = {row["user_id"]: row["date"] for row in sorted(rows, key=lambda row: row["date"])}
    silent = {user for user, day in last.items() if day <= str(LAST - timedelta(days=14))}
    assert set(body["already_silent"]) == silent
    assert {row["user_id"] for row in body["risks"]} == set(users) - silent
    assert all(0 < row["risk"] < 1 for row in body["risks"])
    assert body["accuracy"]["group 1a"]["n"] < body["accuracy"]["landmark_hazard"]["n"]
    assert body["concordance"] == body["accuracy"]["landmark_hazard"]["auc"]
    for one in body["coefficients"]:
        assert one["hazard_ratio"] == pytest.approx(np.exp(one["estimate"]))


def test_segments_of_given_features_are_named_in_two_languages(service: Running) -> None:
    with service.client() as client:
        body = client.post("/cluster/fit", json={"rows": features(), "n_clusters": 4}).json()
    assert [one["label"] for one in body["segments"]][:2] == ["short_frequent", "long_rare"]
    assert body["segments"][0]["korean"] == "짧고 자주 학습"
    assert sum(row["segment"] == 0 for row in body["learners"]) == body["segments"][0]["size"]


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        (
            "/survival/fit",
            {"rows": ONE_DAY},
            "not fitted because 0 of at least 30 learners were active after the first 28",
        ),
        ("/survival/fit", {"rows": ONE_DAY, "as_of": "2000-01-01"}, "as_of 2000-01-01 lies before the first"),
        (
            "/survival/fit",
            {"rows": ONE_DAY, "holidays": [{"first_day": "2025-02-02", "last_day": "2025-02-01"}]},
            "holidays: the last day 2025-02-01 lies before the first",
        ),
        ("/cluster/fit", {"rows": features()[:3]}, "not fitted because 3 of at least 40 learners have answers"),
        ("/cluster/fit", {"rows": features()[:1] * 2}, "a learner comes twice"),
    ],
)
def test_what_cannot_be_fitted_is_a_422_with_the_reason(
    service: Running, path: str, body: dict[str, Any], reason: str
) -> None:
    with service.client() as client:
        answer = client.post(path, json=body)
    assert answer.status_code == 422
    assert reason in answer.text


def test_a_range_of_days_that_would_fill_the_memory_is_refused(service: Running) -> None:
    rows = [{"user_id": f"u{number}", "date": "1970-01-05"} for number in range(300)]
    with service.client() as client:
        answer = client.post("/survival/fit", json={"rows": rows, "as_of": "2199-01-01"})
    assert answer.status_code == 413
    assert "300 learners on 83638 days" in answer.text


@pytest.mark.parametrize("path", ["/survival/fit", "/cluster/fit", "/v1/survival/fit", "/v1/cluster/fit"])
def test_a_learners_token_opens_neither(service: Running, path: str) -> None:
    with service.client(service.token(Scope.READ_SELF, Scope.SCORE, user_id="u1")) as client:
        assert client.post(path, json={"rows": ONE_DAY}).status_code == 403


def test_the_client_has_the_same_calls(service: Running) -> None:
    with Client(service.url, INTERNAL) as client:
        found = client.fit_clusters(api.ClusterFitRequest.model_validate({"rows": features(), "n_clusters": 2}))
        assert len(found.segments) == 2
        request = api.SurvivalFitRequest.model_validate_json(json.dumps({"rows": activity()}))
        risks = client.fit_survival(request).risks
        assert 0 < risks[0]["risk"] < 1
