"""What the service tells of its requests: the log, metrics, spans."""

import io
import json
from typing import Any

import pytest
from serving import ITEM, Running

SCORE = {"item_params": [ITEM], "responses": [[1]]}


def test_a_request_is_one_json_line_without_its_learner(service: Running, log: io.StringIO) -> None:
    with service.client() as client:
        client.get("/v1/learners/zoe/kpis", headers={"x-request-id": "r-1"})
    line = next(found for found in map(json.loads, log.getvalue().splitlines()) if found.get("request_id") == "r-1")
    assert (line["event"], line["method"], line["route"]) == ("request", "GET", "/v1/learners/{user_id}/kpis")
    assert (line["status"], line["client"], line["level"]) == (200, "internal", "info")
    assert line["ms"] > 0
    assert "zoe" not in log.getvalue()


def test_probes_are_not_logged(service: Running, log: io.StringIO) -> None:
    with service.client(token=None) as client:
        client.get("/healthz")
        client.get("/readyz")
    assert log.getvalue() == ""


def test_latencies_and_statuses_are_counted_by_route(service: Running) -> None:
    with service.client() as client:
        client.post("/v1/irt/score", json=SCORE)
        client.get("/nowhere")
        text = client.get("/metrics").text
    assert 'thetaline_requests_total{method="POST",route="/v1/irt/score",status="200"}' in text
    assert 'thetaline_requests_total{method="GET",route="unmatched",status="404"}' in text
    assert 'thetaline_request_seconds_bucket{le="0.05",route="/v1/irt/score"}' in text


def test_a_provider_of_spans_hears_of_each_request(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry import trace

    started: list[str] = []

    class Tracer(trace.NoOpTracer):
        def start_span(self, name: str, *args: Any, **options: Any) -> Any:
            started.append(name)
            return super().start_span(name, *args, **options)

    class Provider(trace.TracerProvider):
        def get_tracer(self, *_args: Any, **_options: Any) -> Any:
            return Tracer()

    monkeypatch.setattr(trace, "get_tracer_provider", Provider)
    with service.client() as client:
        client.get("/v1/runs")
    assert any(name.startswith("GET") for name in started), started
