"""Bodies in rows: every form gives the same answer, and a damaged one is refused in words, whatever the damage."""

import io
import json
import resource
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from serving import Running, observations, running, without_run

from thetaline.service.fits.calibration_body import read_body
from thetaline.service.http_errors import api_error_of

NDJSON = "application/x-ndjson"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
ROWS = observations(n_users=80, n_items=8)
TIMED = [{**row, "responded_at": datetime(2025, 11, 1, tzinfo=UTC)} for row in ROWS[:200]]
FLIPPED_BODIES = 400
SPARE_BYTES = 4 << 30


def _parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file, **options)
    return file.getvalue()


def _stream(table: pa.Table) -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table, max_chunksize=100)
    return file.getvalue()


def _arrow(rows: list[dict[str, Any]]) -> bytes:
    return _stream(pa.Table.from_pylist(rows))


def _ndjson(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def _with_ids(kind: pa.DataType) -> bytes:
    table = pa.Table.from_pylist(ROWS)
    for i, name in enumerate(("user_id", "item_id")):
        table = table.set_column(i, name, table[name].cast(kind))
    return _stream(table)


def _of_views_in_a_dictionary() -> bytes:
    table = pa.Table.from_pylist(ROWS)
    coded = table["user_id"].combine_chunks().dictionary_encode()
    views = pa.DictionaryArray.from_arrays(coded.indices, coded.dictionary.cast(pa.string_view()))
    return _stream(table.set_column(0, "user_id", views))


@pytest.fixture(scope="module")
def service(unpublished: Running) -> Running:
    return unpublished


@pytest.fixture(scope="module")
def expected(service: Running) -> dict[str, Any]:
    with service.client() as client:
        answer: dict[str, Any] = client.post("/irt/calibrate", json={"observations": ROWS}).json()
    return answer


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (NDJSON, _ndjson(ROWS)),
        (NDJSON, b'{"model": "2PL", "anchors": []}\n' + _ndjson(ROWS) + b"\n"),
        (PARQUET, _parquet(ROWS)),
        (PARQUET, _parquet(ROWS, write_page_checksum=True)),
        (ARROW, _arrow(ROWS)),
        (ARROW, _with_ids(pa.large_string())),
        (ARROW, _with_ids(pa.string_view())),
        (ARROW, _with_ids(pa.dictionary(pa.int16(), pa.string()))),
        (ARROW, _of_views_in_a_dictionary()),
    ],
)
def test_rows_in_any_form_give_the_same_answer(
    service: Running, expected: dict[str, Any], kind: str, body: bytes
) -> None:
    with service.client() as client:
        answer = client.post("/irt/calibrate", content=body, headers={"content-type": kind}, params={"model": "2PL"})
    assert answer.status_code == 200, answer.text
    assert without_run(answer.json()) == without_run(expected)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps({"observations": ROWS}).encode()),
        (NDJSON, b'{"anchors": []}\n' + _ndjson(ROWS)),
        (NDJSON, _ndjson(ROWS)),
        (PARQUET, _parquet(ROWS)),
        (ARROW, _arrow(ROWS)),
    ],
)
def test_the_querys_model_is_that_of_a_body_that_names_none(service: Running, kind: str, body: bytes) -> None:
    with service.client() as client:
        answer = client.post("/irt/calibrate", content=body, headers={"content-type": kind}, params={"model": "Rasch"})
    assert answer.json()["fit_meta"]["model_spec"]["model"] == "Rasch"
    assert {item["params"]["a"] for item in answer.json()["item_params"]} == {1.0}


@pytest.mark.parametrize(
    ("kind", "body", "status", "said"),
    [
        (NDJSON, b'{"user_id": "u"\n', 400, "line 1 is not JSON"),
        (NDJSON, _ndjson(ROWS[:3]) + b'\n{"user_id": 1, "item_id": "1", "is_correct": true}', 422, "line 4"),
        (NDJSON, _ndjson(ROWS[:3]) + b"\n" + b"x" * 70_000, 413, "longer than"),
        (PARQUET, b"PAR1 no", 400, "not Parquet"),
        (PARQUET, _parquet(ROWS)[:-200] + _parquet(ROWS)[-100:], 400, "not Parquet"),
        (PARQUET, _parquet([{"user_id": "u", "item_id": "1"}]), 422, "['is_correct']"),
        (PARQUET, _parquet([{**ROWS[0], "is_correct": 0.5}]), 422, "is_correct must hold"),
        (PARQUET, _parquet([{**ROWS[0], "is_correct": 7}]), 422, "is_correct must hold"),
        (PARQUET, _parquet([{**ROWS[0], "is_correct": -1}]), 422, "it has -1"),
        (PARQUET, _parquet([{**ROWS[0], "user_id": "u" * 201}]), 422, "1 to 200 characters"),
        (PARQUET, _parquet([{**ROWS[0], "user_id": 1.5}]), 422, "user_id must hold text"),
        (PARQUET, _parquet([{**ROWS[0], "user_id": None}, ROWS[1]]), 422, "user_id must hold text without nulls"),
        (ARROW, _arrow(ROWS)[:300], 400, "not Arrow"),
    ],
)
def test_broken_rows_are_refused(service: Running, kind: str, body: bytes, status: int, said: str) -> None:
    with service.client() as client:
        answer = client.post("/irt/calibrate", content=body, headers={"content-type": kind})
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def _one(user_ids: Any, **other: Any) -> bytes:
    columns = {"user_id": user_ids, "item_id": ["1"] * len(user_ids), "is_correct": [True] * len(user_ids), **other}
    return _stream(pa.table(columns))


def _codes(*codes: int) -> bytes:
    """Learners by their place in a dictionary of two."""
    return _one(pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(["u", "v"]), safe=False))


def _with_an_offset_out_of_range() -> bytes:
    body, offsets = _one(["u" * 77, "v" * 77]), struct.pack("<iii", 0, 77, 154)
    assert body.count(offsets) == 1
    return body.replace(offsets, struct.pack("<iii", 0, 1 << 29, 1 << 30))


def _twice() -> bytes:
    return _stream(pa.Table.from_arrays([["u"], ["v"], ["1"], [True]], ["user_id", "user_id", "item_id", "is_correct"]))


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (_with_an_offset_out_of_range(), 400, "not Arrow"),
        (_codes(2), 400, "out of bounds"),
        (_codes(-1), 400, "out of bounds"),
        (_one(pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array([None, "v"]))), 422, "without nulls"),
        (_one(pa.array([["u"]])), 422, "it is list"),
        (_one(pa.array([{"name": "u"}])), 422, "it is struct"),
        (_one(pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array(["u"]))), 422, "it is run_end"),
        (_one(pa.array([b"u"])), 422, "it is binary"),
        (_twice(), 422, "['user_id'] are there more than once"),
        (_one(["u"], is_correct=pa.array([1 << 63], pa.uint64())), 422, "is_correct must hold"),
        (_one(["u"], responded_at=["2025-11-01"]), 422, "responded_at must hold timestamps"),
        (_one(["u"], responded_at=pa.array([1 << 62], pa.timestamp("s"))), 422, "responded_at must hold timestamps"),
    ],
)
def test_columns_that_arrow_can_say_and_nobody_can_mean_are_refused_and_cost_no_process(
    service: Running, body: bytes, status: int, said: str
) -> None:
    pids = service.services.dispatcher.pids
    with service.client() as client:
        answer = client.post("/irt/calibrate", content=body, headers={"content-type": ARROW})
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert service.services.dispatcher.pids == pids


def test_names_of_a_schema_are_told_in_short(service: Running) -> None:
    body = _stream(pa.table({"x" * 100_000: ["u"]}))
    with service.client() as client:
        answer = client.post("/irt/calibrate", content=body, headers={"content-type": ARROW})
    assert (answer.status_code, len(answer.content) < 1000) == (422, True)


@pytest.fixture
def bounded_memory() -> Iterator[None]:
    """As a fit process has it: a damaged length asks for more than there is."""
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + SPARE_BYTES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _flipped(body: bytes, rng: np.random.Generator) -> bytes:
    damaged = bytearray(body)
    for at in rng.integers(len(damaged), size=rng.integers(1, 4)):
        damaged[at] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def _outcome(path: Path, kind: str) -> int:
    """200 for rows that make sense, else the status of the refusal; an exception that is no refusal is raised."""
    try:
        found = read_body(path, kind, options={}, most=1_000_000).observations
    except Exception as error:
        fault = api_error_of(error)
        if fault is None:
            raise
        return fault.status
    assert (found.user >= 0).all()
    assert (found.user < len(found.user_ids)).all()
    assert (found.item < len(found.item_ids)).all()
    assert all(1 <= len(name) <= 200 for name in (*found.user_ids, *found.item_ids))
    assert found.n_answers <= len(ROWS)
    return 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (PARQUET, _parquet(TIMED)),
        (PARQUET, _parquet(TIMED, compression="none", use_dictionary=False, data_page_version="2.0")),
        (ARROW, _arrow(TIMED)),
        (ARROW, _with_ids(pa.string_view())),
        (ARROW, _with_ids(pa.dictionary(pa.int16(), pa.string()))),
    ],
    ids=["parquet", "plain parquet", "arrow", "views", "dictionaries"],
)
@pytest.mark.usefixtures("bounded_memory")
def test_bits_that_flipped_on_the_way_are_a_refusal_or_rows_never_a_defect(
    kind: str, body: bytes, tmp_path: Path
) -> None:
    rng, path = np.random.default_rng(20251101), tmp_path / "body"
    statuses = set()
    for _ in range(FLIPPED_BODIES):
        path.write_bytes(_flipped(body, rng))
        statuses.add(_outcome(path, kind))
    assert {200, 400} <= statuses <= {200, 400, 413, 422}


def test_a_page_that_no_longer_has_its_checksum_is_refused(tmp_path: Path) -> None:
    body = _parquet(TIMED, compression="none", use_dictionary=False, write_page_checksum=True)
    path = tmp_path / "body"
    path.write_bytes(body.replace(b"u11", b"u99", 1))
    assert _outcome(path, PARQUET) == 400


def test_more_rows_than_allowed_are_a_413_also_in_a_small_file(database: str) -> None:
    rows = [{"user_id": "u", "item_id": "1", "is_correct": True}] * 50_000
    with running(database, service_max_observations=1000) as service, service.client() as client:
        answer = client.post("/irt/calibrate", content=_parquet(rows), headers={"content-type": PARQUET})
    assert answer.status_code == 413
    assert "more than 1000 observations" in answer.text
