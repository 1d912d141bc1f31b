"""Mixed models and growth lines over HTTP: what the library says, and why there is no fit."""

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from serving import INTERNAL, NewDatabase, Running, running

from thetaline import Client, api
from thetaline.learning.mixed_model import fit_mixed

MONDAY = date(2025, 10, 27)
ITEMS = {str(item): {"a": 1.2, "b": (item - 20) / 10} for item in range(40)}


@pytest.fixture(scope="module")
def service(unpublished: Running) -> Running:
    return unpublished


def rows(*, slope_sd: float = 0.4, n: int = 40, seed: int = 5) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    level, slope = rng.normal(0, 1, n), rng.normal(0.5, slope_sd, n)
    effects = rng.normal(0, 1, 5)
    return [
        {
            "student": f"s{student:02d}",
            "topic": f"t{(topic := int(rng.integers(0, 5)))}",
            "week": week,
            "score": float(level[student] + slope[student] * week + effects[topic] + rng.normal(0, 0.5)),
        }
        for student in range(n)
        for week in (0, 1, 2, 4, 5, 6)
    ]


def answers(n: int = 30) -> list[dict[str, Any]]:
    rng = np.random.default_rng(6)
    found = []
    for user in range(n):
        for back in range(6):
            theta = -1 + user / 15 - (user % 2) * 0.3 * back
            for item in rng.choice(40, 12, replace=False).tolist():
                right = rng.random() < 1 / (1 + np.exp(-1.2 * (theta - ITEMS[str(item)]["b"])))
                day = str(MONDAY - timedelta(weeks=back) + timedelta(days=int(rng.integers(0, 7))))
                found.append({"user_id": f"u{user:02d}", "item_id": str(item), "is_correct": bool(right), "date": day})
    return found


def test_a_mixed_model_is_the_librarys_and_is_told_in_the_contracts_shape(service: Running) -> None:
    given = rows()
    formula = "score ~ week + (week|student) + (1|topic)"
    with service.client() as client:
        body = client.post("/glmm/fit_progress", json={"rows": given, "formula": formula, "family": "gaussian"}).json()
    assert body["status"] == "ok"
    spec = body["fit_meta"]["model_spec"]
    assert spec == {"formula": formula, "family": "gaussian", "n": 240, "groups": {"student": 40, "topic": 5}}
    expected = fit_mixed(formula, {name: np.array([row[name] for row in given]) for name in given[0]})
    for found, one in zip(body["fixed_effects"], expected.coefficients, strict=True):
        assert found == {
            "term": one.term,
            **{name: pytest.approx(getattr(one, name)) for name in ("estimate", "se", "z")},
        }
    assert body["metrics"].keys() == {"logLik", "AIC", "BIC", "RMSE"}
    student = body["random_effects"]["student"]
    assert student["sd"].keys() == {"(Intercept)", "week"}
    assert [one["level"] for one in student["levels"]] == [f"s{number:02d}" for number in range(40)]


def test_what_was_fitted_predicts_new_rows(service: Running) -> None:
    with service.client() as client:
        fit = client.post("/glmm/fit_progress", json={"rows": rows()}).json()
        asked = [{"student": "s03", "topic": "t1", "week": 8}, {"student": "new", "week": 8}]
        model = {name: fit[name] for name in ("fixed_effects", "random_effects")}
        found = client.post("/glmm/predict", json={**model, "rows": asked}).json()["predictions"]
    intercept, week = (one["estimate"] for one in fit["fixed_effects"])
    effects = {
        group: {one["level"]: one["values"] for one in fit["random_effects"][group]["levels"]}
        for group in ("student", "topic")
    }
    own = effects["student"]["s03"]["(Intercept)"] + 8 * effects["student"]["s03"]["week"]
    mean = intercept + 8 * week
    assert found == pytest.approx([mean + own + effects["topic"]["t1"]["(Intercept)"], mean])


def test_dates_give_the_same_slopes_as_numbers_and_predict_by_dates(service: Running) -> None:
    def dated(week: int) -> str:
        return str(MONDAY + timedelta(weeks=week))

    given, asked = rows(), [{"student": "s03", "topic": "t1", "week": 8}]
    with service.client() as client:
        found = []
        for of_week in (int, dated):
            told = [{**row, "week": of_week(row["week"])} for row in given]
            fit = client.post("/glmm/fit_progress", json={"rows": told}).json()
            assert fit["fit_meta"]["model_spec"]["formula"] == "score ~ week + (week|student) + (1|topic)"
            model = {name: fit[name] for name in ("fixed_effects", "random_effects")}
            new = [{**row, "week": of_week(row["week"])} for row in asked]
            found.append(client.post("/glmm/predict", json={**model, "rows": new}).json()["predictions"])
    assert found[1] == pytest.approx(found[0], rel=1e-6)


def test_a_simpler_model_is_named_and_dates_are_calendar_weeks(service: Running) -> None:
    given = rows(slope_sd=0.0, seed=2)
    dated = [{**row, "week": str(MONDAY + timedelta(weeks=row["week"], days=row["week"] % 7))} for row in given]
    with service.client() as client:
        by_number = client.post("/glmm/fit_progress", json={"rows": given}).json()
        by_date = client.post("/glmm/fit_progress", json={"rows": dated}).json()
    assert by_number["fit_meta"]["model_spec"]["formula"] == "score ~ week + (1|student) + (1|topic)"
    assert by_number["fit_meta"]["fell_back_from"][0]["reason"].startswith("singular")
    assert by_date["fixed_effects"][1]["estimate"] == pytest.approx(by_number["fixed_effects"][1]["estimate"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"formula": "score ~ __import__('os')"}, "is unknown"),
        ({"formula": "score ~ week"}, "has no random term"),
        ({"formula": "score ~ week + (week|school)"}, "the formula needs column 'school'"),
        ({"rows": [{**row, "score": 1.0} for row in rows(n=3)]}, "every score is 1"),
        ({"rows": [{**row, "week": str(MONDAY)} if row["week"] else row for row in rows(n=3)]}, "some as a date"),
        ({"rows": [{**row, "trials": 3} if row["week"] else row for row in rows(n=3)]}, "some rows have trials"),
        ({"rows": [{name: value for name, value in row.items() if name != "topic"} for row in rows(n=9)]}, "'topic'"),
        ({"family": "binomial"}, "a binomial score is 0 or 1"),
    ],
)
def test_rows_that_carry_no_model_are_a_422_with_the_reason(
    service: Running, change: dict[str, Any], said: str
) -> None:
    with service.client() as client:
        answer = client.post("/glmm/fit_progress", json={"rows": rows(), **change})
    assert answer.status_code == 422
    assert said in answer.json()["error"]


def test_the_first_answer_of_a_week_is_that_of_the_first_day_in_any_order_of_rows(service: Running) -> None:
    given = answers(8)
    later = [{**row, "is_correct": not row["is_correct"], "date": str(_sunday(row["date"]))} for row in given]
    given = [{**row, "date": str(_sunday(row["date"]) - timedelta(days=6))} for row in given]
    with service.client() as client:
        bodies = [
            {"item_params": ITEMS, "responses": rows} for rows in (given, given + later, given[:1] + later + given)
        ]
        found = [client.post("/growth/fit", json=body).json()["learners"] for body in bodies]
    by_user = [{one["user_id"]: one for one in learners} for learners in found]
    assert by_user[1] == by_user[0]
    for user, line in by_user[0].items():
        assert by_user[2][user] == pytest.approx(line)


def _sunday(day: str) -> date:
    told = date.fromisoformat(day)
    return told + timedelta(days=6 - told.weekday())


def test_growth_lines_are_fitted_and_lead_to_goals(service: Running) -> None:
    with service.client() as client:
        fit = client.post("/growth/fit", json={"item_params": ITEMS, "responses": answers()}).json()
        assert fit["fit_meta"]["now"] == str(MONDAY)
        assert len(fit["learners"]) == 30
        slope = {one["user_id"]: one["slope"] for one in fit["learners"]}
        odd = np.mean([slope[f"u{user:02d}"] for user in range(1, 30, 2)])
        assert odd - np.mean([slope[f"u{user:02d}"] for user in range(0, 30, 2)]) > 0.05
        body = {
            "now": fit["fit_meta"]["now"],
            "learners": fit["learners"],
            "walk_sd": fit["spreads"]["walk_sd"],
            "date": "2025-11-23",
            "targets": {one["user_id"]: 0.5 for one in fit["learners"]},
        }
        soon = client.post("/growth/predict", json=body).json()["predictions"]
        far = client.post("/growth/predict", json={**body, "date": "2026-11-23"}).json()["predictions"]
    line = fit["learners"][1]
    assert soon[1]["theta"] == pytest.approx(line["level"] + 3 * line["slope"])
    assert soon[1]["se"] > line["level_se"]
    assert 0 < soon[1]["probability"] <= soon[1]["ever_probability"] < 1
    assert far[1] == {
        "user_id": "u01",
        "theta": None,
        "se": None,
        "probability": None,
        "ever_probability": None,
        "reason": "beyond twice the observed span",
    }


@pytest.mark.parametrize(
    ("responses", "said"),
    [
        (answers(2), "not fitted because 2 of at least 5 learners"),
        ([{**row, "is_correct": True} for row in answers(9)], "not fitted because all"),
        ([{**row, "date": str(MONDAY)} for row in answers(9)], "not fitted because all answers are of 1 week"),
        ([{**row, "is_correct": None} for row in answers(9)], "not fitted because there are no answers"),
        ([{**row, "item_id": "99"} for row in answers(9)], "1 items of the responses are not in item_params"),
    ],
)
def test_answers_that_carry_no_line_are_a_422_with_the_reason(
    service: Running, responses: list[dict[str, Any]], said: str
) -> None:
    with service.client() as client:
        answer = client.post("/growth/fit", json={"item_params": ITEMS, "responses": responses})
    assert answer.status_code == 422
    assert said in answer.json()["error"]


def test_the_client_has_the_same_calls(service: Running) -> None:
    with Client(service.url, INTERNAL) as client:
        fit = client.fit_progress(api.FitProgressRequest.model_validate({"rows": rows()}))
        assert fit.fixed_effects[1]["z"] > 2
        body = json.dumps({"item_params": ITEMS, "responses": answers()})
        lines = client.fit_growth(api.GrowthFitRequest.model_validate_json(body))
        asked = {"now": str(lines.fit_meta.now), "date": "2025-11-10", "learners": lines.learners}
        request = api.GrowthPredictRequest.model_validate_json(json.dumps(asked, default=str))
        assert len(client.predict_growth(request).predictions) == 30
        model = {"fixed_effects": [{"term": "(Intercept)", "estimate": 2.0}], "rows": [{"week": 1}]}
        assert client.predict_progress(api.PredictProgressRequest.model_validate(model)).predictions == [2.0]


def test_more_rows_than_the_service_takes_are_refused(new_database: NewDatabase) -> None:
    with new_database() as url, running(url, service_max_observations=5) as small, small.client() as client:
        for path, body in (
            ("/glmm/fit_progress", {"rows": rows(n=1)}),
            ("/glmm/predict", {"fixed_effects": [{"term": "week", "estimate": 1.0}], "rows": [{"week": 1}] * 6}),
            ("/growth/fit", {"item_params": ITEMS, "responses": answers(1)}),
        ):
            answer = client.post(path, json=body)
            assert answer.status_code == 413
            assert "at most 5 are taken" in answer.json()["error"]


def test_a_learner_without_a_target_has_a_prediction_and_no_reason_and_nobody_answered_after_now(
    service: Running,
) -> None:
    line = {
        "level": 0.3,
        "level_se": 0.0,
        "slope": 0.05,
        "slope_se": 0.0,
        "correlation": 0.2,
        "n_answers": 120,
        "n_weeks": 10,
        "first_week": "2025-08-18",
        "last_week": str(MONDAY),
    }
    body = {
        "now": str(MONDAY),
        "date": "2025-11-02",
        "learners": [{**line, "user_id": user} for user in ("u1", "u2")],
        "targets": {"u1": 0.3},
    }
    with service.client() as client:
        with_target, without = client.post("/growth/predict", json=body).json()["predictions"]
        late = client.post("/growth/predict", json={**body, "now": "2025-10-20"})
    assert 0.5 <= with_target["probability"] <= with_target["ever_probability"] <= 1
    assert with_target["reason"] is None
    assert (without["theta"], without["probability"], without["reason"]) == (0.3, None, None)
    assert late.status_code == 422
    assert "last_week of 2 learners lies after now" in late.json()["error"]
