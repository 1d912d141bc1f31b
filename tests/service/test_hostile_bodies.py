"""A body of nothing but wrong entries, a few kilobytes of gzip, costs as little as a right one."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from serving import Running, fits_done, running

from thetaline import api
from thetaline.api.calibration import CalibrateHeader
from thetaline.service.http_errors import MANY_ERRORS, SHOWN_ERRORS, validation_error

N = 500_000
MB = 1_000_000
JSON = {"content-type": "application/json", "content-encoding": "gzip"}
ITEM = b'{"item_id":"1","a":1,"b":0}'
BANK = b'"item_params":[' + ITEM + b"]"
REQUESTS = (
    api.CalibrateRequest,
    CalibrateHeader,
    api.InformationRequest,
    api.LinkRequest,
    api.NextItemsRequest,
    api.RecomputeRequest,
    api.ScoreRequest,
    api.ThetaUpdateRequest,
)


def _list(name: str, entry: bytes, *, n: int = N, beside: bytes = b'"theta":0') -> bytes:
    return b'{%s,"%s":[%s]}' % (beside, name.encode(), b",".join([entry] * n))


def _map(name: str, entry: bytes, *, n: int = N) -> bytes:
    return b'{"theta":0,"%s":{%s}}' % (name.encode(), b",".join([entry] * n))


def _unknown_fields(*, n: int = N) -> bytes:
    return b'{"theta":0,%s}' % b",".join(b'"%x":0' % number for number in range(n))


BODIES = {
    "/irt/next-items equal keys": ("/irt/next-items", _map("item_params", b'"":0', n=2_000_000)),
    "/irt/next-items keys": ("/irt/next-items", _map("item_params", b'"1":{}')),
    "/irt/next-items numbers": ("/irt/next-items", _list("answered", b"1")),
    "/irt/next-items lists": ("/irt/next-items", _list("answered", b"[1]")),
    "/irt/next-items objects": ("/irt/next-items", _list("item_params", b"{}")),
    "/irt/next-items unknown": ("/irt/next-items", _unknown_fields()),
    "/irt/information numbers": ("/irt/information", _list("theta", b"99", beside=BANK)),
    "/irt/information objects": ("/irt/information", _list("item_ids", b'{"":0}', beside=BANK)),
    "/irt/link equal keys": ("/irt/link", _map("new", b'"":0')),
    "/irt/score rows": ("/irt/score", _list("responses", b"[2]", beside=BANK)),
    "/irt/score objects": ("/irt/score", _list("responses", b"{}", beside=BANK)),
    "/irt/score items": ("/irt/score", _list("item_params", b'{"a":1}', beside=b'"responses":[[1]]')),
    "/irt/calibrate anchors": ("/irt/calibrate", _list("anchors", b"{}", beside=b'"responses":[[1]]')),
    "/irt/calibrate rows": ("/irt/calibrate", _list("observations", b'{"":0}', n=600_000, beside=b'"model":"2PL"')),
    "/irt/calibrate unknown": ("/irt/calibrate", _unknown_fields()),
    "a session's objects": ("/v1/learners/u/theta", _list("answers", b"{}", n=300_000, beside=b'"session_id":"s"')),
    "a session's unknown": ("/v1/learners/u/theta", _unknown_fields(n=90_000)),
    "a week's lists": ("/v1/learners/u/kpis", _list("weeks", b"[1]", n=200_000)),
}


@pytest.fixture(scope="module")
def calm(module_database: str) -> Iterator[Running]:
    """A service that makes no body a job and has answered every route, so that nothing is loaded for the first time."""
    with running(module_database, service_large_mb=128, service_max_observations=100_000) as found:
        with found.client() as client:
            for path in {path for path, _body in BODIES.values()}:
                client.post(path, content=b"{}", headers={"content-type": "application/json"})
        yield found


def _peak(pid: int | str) -> int:
    """The most bytes that a process has had since its peak was forgotten."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.parametrize(("path", "body"), BODIES.values(), ids=BODIES.keys())
def test_a_body_of_nothing_but_faults_holds_no_loop_and_takes_little_memory(
    calm: Running, path: str, body: bytes
) -> None:
    packed, pids = gzip.compress(body, mtime=0), calm.services.dispatcher.pids
    Path("/proc/self/clear_refs").write_text("5")
    before, secs = _peak("self"), calm.loop_secs()
    with calm.client() as client:
        answer = client.post(path, content=packed, headers=JSON)
    assert answer.status_code in (413, 422), answer.text
    assert len(answer.content) < 20_000
    assert calm.loop_secs() - secs < 0.7  # inflating included; to build every fault would take 4 to 18 s
    assert _peak("self") - before < 250 * MB
    assert calm.services.dispatcher.pids == pids  # no fit process was lost
    assert max(map(_peak, pids)) < 2_000 * MB


def _containers(schema: Any) -> Iterator[Any]:
    """Every list and dict in a core schema that a body's entries are validated by."""
    if isinstance(schema, dict):
        if schema.get("type") in ("list", "dict", "set", "tuple"):
            yield schema
        for inner in schema.values():
            yield from _containers(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _containers(inner)


@pytest.mark.parametrize("model", REQUESTS, ids=lambda model: model.__name__)
def test_every_list_and_object_of_a_request_stops_at_its_first_fault(model: Any) -> None:
    assert all(one.get("fail_fast") for one in _containers(model.__pydantic_core_schema__))


def test_the_first_wrong_entry_is_named_with_its_place() -> None:
    body = _map("item_params", b'"1":{"a":1,"b":0},"2":{"a":"x","b":"y"}', n=1)
    with pytest.raises(ValidationError) as refused:
        api.NextItemsRequest.model_validate_json(body)
    places = [one["loc"][-2:] for one in validation_error(refused.value).detail]  # type: ignore[attr-defined]
    assert {("2", "a"), ("2", "b")} <= {tuple(place) for place in places}


def test_more_faults_than_can_be_told_are_counted() -> None:
    for n, n_told in ((1, 1), (MANY_ERRORS, SHOWN_ERRORS), (MANY_ERRORS + 1, 1)):
        with pytest.raises(ValidationError) as refused:
            api.NextItemsRequest.model_validate_json(_unknown_fields(n=n))
        told: Any = validation_error(refused.value).detail
        assert len(told) == n_told
    assert told[0]["msg"].startswith(f"{MANY_ERRORS + 1} faults")


def test_a_large_bank_of_a_body_is_answered_like_a_small_one(unpublished: Running) -> None:
    before, n = [fits_done(unpublished, kind) for kind in ("next-items", "information")], 6_000
    items = [{"item_id": str(i), "a": 1.0 + i % 7 / 10, "b": i % 90 / 30 - 1.5} for i in range(n)]
    with unpublished.client() as client:
        for some in (items[:4_000], items):
            best = client.post("/irt/next-items", json={"item_params": some, "theta": 0.1, "n": 3}).raise_for_status()
            ids = [one["item_id"] for one in best.json()["items"]]
            curves = client.post("/irt/information", json={"item_params": some, "item_ids": ids, "theta": [0.1]})
            told = [one["information"][0] for one in curves.raise_for_status().json()["items"]]
            assert told == [one["information"] for one in best.json()["items"]]
    assert [fits_done(unpublished, kind) for kind in ("next-items", "information")] == [n + 1 for n in before]
