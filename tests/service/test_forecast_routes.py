"""Forecasts of weekly series over HTTP: what the library says, why there is none, and who may not ask."""

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from benchmarks.simulated_weeks import simulated_weeks
from serving import INTERNAL, Running

from thetaline import Client, api
from thetaline.learning.forecast import Metric, Panel, forecast_panel
from thetaline.service.tokens import Scope

MONDAY = date(2025, 8, 11)
N, WEEKS = 30, 12
ONE = {"series": "u1", "week": "2025-10-27", "value": 0.2, "se": 0.4}


@pytest.fixture(scope="module")
def service(unpublished: Running) -> Running:
    return unpublished


def theta() -> Panel:
    panel = simulated_weeks(np.random.default_rng(1), N, WEEKS, kinds=("random walk",)).panel(Metric.THETA)
    panel.value[0, -1], panel.size[0, -1] = 6.0, 0.4
    panel.value[1, 3:] = np.nan
    return Panel(Metric.THETA, panel.value, panel.size, np.zeros(WEEKS, bool))


def rows_of(panel: Panel) -> list[dict[str, Any]]:
    return [
        {"series": f"u{row}", "week": str(MONDAY + timedelta(days=7 * week + 2)), "value": value, "se": size}
        for row, (values, sizes) in enumerate(zip(panel.value.tolist(), panel.size.tolist(), strict=True))
        for week, (value, size) in enumerate(zip(values, sizes, strict=True))
        if value == value  # noqa: PLR0124 - not NaN
    ]


def test_the_forecasts_are_the_librarys_with_the_odd_newest_week_and_why_a_series_has_none(service: Running) -> None:
    panel = theta()
    with service.client() as client:
        body = client.post("/prophet/fit", json={"rows": rows_of(panel), "horizon": 3, "threshold": 4.5}).json()
    found = forecast_panel(panel, horizon=3)
    assert found.forecasts is not None
    assert [one["series"] for one in body["forecasts"]] == [f"u{row}" for row in range(N)]
    first = body["forecasts"][0]["ahead"]
    assert [one["week_start"] for one in first] == ["2025-11-03", "2025-11-10", "2025-11-17"]
    assert [one["mean"] for one in first] == pytest.approx(found.forecasts.mean[0].tolist())
    assert [one["high_95"] for one in first] == pytest.approx(found.forecasts.bounds[0, :, 3].tolist())
    assert body["forecasts"][1] == {
        "series": "u1",
        "weeks_known": found.weeks_known[1],
        "reason": f"too short: {found.weeks_known[1]} of at least 4 weeks are known",
        "ahead": [],
    }
    odd = [(one["series"], one["week_start"], one["value"]) for one in body["anomalies"]]
    assert odd == [("u0", "2025-10-27", 6.0)]
    assert body["fit_meta"]["n_forecast"] == N - 1
    assert "Never shown to learners" in body["fit_meta"]["intended_use"]


def test_a_summary_is_a_line_a_series(service: Running) -> None:
    with service.client() as client:
        rows = client.post("/forecast/summary", json={"rows": rows_of(theta()), "threshold": 4.5}).json()["series"]
        calm = client.post("/forecast/summary", json={"rows": rows_of(theta()), "threshold": 100}).json()["series"]
    assert [row["series"] for row in rows if row["is_anomaly"]] == ["u0"]
    assert rows[0]["next_low_80"] < rows[0]["next_mean"] < rows[0]["next_high_80"]
    assert (rows[1]["next_mean"], rows[1]["change_ahead"]) == (None, None)
    assert not any(row["is_anomaly"] for row in calm)


def test_activity_and_accuracy_stay_in_their_bounds_over_a_vacation(service: Running) -> None:
    counts = np.random.default_rng(2).poisson(3, (10, 8))
    weeks = [str(MONDAY + timedelta(weeks=week)) for week in range(8)]
    activity = [
        {"series": f"u{row}", "week": weeks[week], "value": int(counts[row, week]) if week < 7 else 0}
        for row in range(10)
        for week in range(8)
    ]
    accuracy = [{**one, "value": min(one["value"] / 10, 1.0), "n": 10} for one in activity]
    holidays = [{"first_day": weeks[7], "last_day": str(date.fromisoformat(weeks[7]) + timedelta(days=6))}]
    with service.client() as client:
        for metric, rows, highest in (("activity", activity, 30.0), ("accuracy", accuracy, 1.0)):
            given = {"rows": rows, "metric": metric, "holidays": holidays}
            body = client.post("/prophet/fit", json=given).json()
            values = [one[name] for row in body["forecasts"] for one in row["ahead"] for name in ("low_95", "high_95")]
            assert len(values) == 10 * 4 * 2
            assert 0 <= min(values) <= max(values) <= highest
            assert body["anomalies"] == []


@pytest.mark.parametrize("path", ["/prophet/fit", "/forecast/summary"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"rows": [ONE]}, "not fitted because none of 1 series has at least 4 known weeks"),
        ({"rows": [ONE, {**ONE, "week": "2025-10-29"}]}, "a series has a week twice"),
        ({"rows": [ONE, {**ONE, "week": "2020-10-26"}]}, "262 weeks; at most 104 are taken, send the newest"),
        ({"rows": [ONE], "last_week": "2025-10-20"}, "a week lies after last_week 2025-10-20"),
        ({"rows": [{**ONE, "se": None}]}, "rows of theta need `se`; row 0 has none"),
        ({"rows": [ONE], "metric": "accuracy"}, "rows of accuracy need `n`; row 0 has none"),
        ({"rows": [{**ONE, "value": 1.5}], "metric": "I_t"}, "a value of I_t is 1.5; it lies from -1 to 1"),
        (
            {"rows": [ONE], "holidays": [{"first_day": "2025-02-02", "last_day": "2025-02-01"}]},
            "holidays: the last day 2025-02-01 lies before the first",
        ),
    ],
)
def test_what_cannot_be_forecast_is_a_422_with_the_reason(
    service: Running, path: str, body: dict[str, Any], reason: str
) -> None:
    with service.client() as client:
        answer = client.post(path, json=body)
    assert answer.status_code == 422
    assert reason in answer.text


@pytest.mark.parametrize("path", ["/prophet/fit", "/forecast/summary", "/v1/prophet/fit", "/v1/forecast/summary"])
def test_a_learners_token_opens_neither(service: Running, path: str) -> None:
    with service.client(service.token(Scope.READ_SELF, Scope.SCORE, user_id="u1")) as client:
        assert client.post(path, json={"rows": [ONE]}).status_code == 403


def test_the_client_has_the_same_calls(service: Running) -> None:
    request = api.ForecastRequest.model_validate_json(json.dumps({"rows": rows_of(theta()), "horizon": 1}))
    with Client(service.url, INTERNAL) as client:
        assert len(client.fit_forecast(request).forecasts) == N
        assert client.forecast_summary(request).series[0]["is_anomaly"]
