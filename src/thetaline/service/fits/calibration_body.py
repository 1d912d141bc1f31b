"""A stored request body as a calibration request: JSON, NDJSON, Parquet or Arrow, read in bounded pieces."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, BinaryIO

import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from thetaline.api.base import StopAtFirstError
from thetaline.api.calibration import Anchor as AnchorPayload, CalibrateHeader, CalibrateRequest, Correct, Observation
from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.calibration.engine import CalibrationRequest
from thetaline.jobs.calibration.observations import Observations
from thetaline.service.fits.answer_columns import Columns, microseconds
from thetaline.service.http_errors import ApiError, validation_error
from thetaline.service.json_limits import limits_of_process
from thetaline.service.scoring import cells

JSON = "application/json"
NDJSON = "application/x-ndjson"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
BATCH_ROWS, BATCH_BYTES = 20_000, 4_000_000  # a byte may take a hundred while it is parsed
MAX_LINE_BYTES = 64 * 1024
MAX_HEADER_BYTES = 16 * 1024 * 1024  # a header names anchors, up to a hundred thousand
LEAST_SLOPE = 1e-6  # below it 1 / a, and with it A, leaves what a float can hold
_ROWS = TypeAdapter(Annotated[list[Observation], StopAtFirstError()])

Reader = Callable[[Path, CalibrateHeader, Columns], CalibrationRequest]


def read_body(path: Path, content_type: str, *, options: Mapping[str, str], most: int) -> CalibrationRequest:
    """The request in the file; `options` are the query's, for bodies that are rows only. Raises ApiError."""
    header = CalibrateHeader.model_validate(dict(options))
    return READERS[content_type](path, header, Columns(most))


def _read_json(path: Path, query: CalibrateHeader, columns: Columns) -> CalibrationRequest:
    request = CalibrateRequest.model_validate_json(limits_of_process(columns.most).require(path.read_bytes()))
    model = _model(request, query)
    if request.observations is not None:
        _add_rows(columns, request.observations)
    else:
        _add_matrix(columns, request.responses or [])
    return _request(columns.observations(), model, request.anchors)


def _read_ndjson(path: Path, query: CalibrateHeader, columns: Columns) -> CalibrationRequest:
    with path.open("rb") as file:
        lines = _lines(file)
        first = next(lines, b"{}")
        has_header = not _is_observation(first)
        header = CalibrateHeader.model_validate_json(first) if has_header else query
        model = _model(header, query)
        numbered = 1 + int(has_header)
        for batch in _batches(lines if has_header else chain([first], lines)):
            _add_rows(columns, _parsed(batch, numbered))
            numbered += len(batch)
    return _request(columns.observations(), model, header.anchors)


def _read_parquet(path: Path, header: CalibrateHeader, columns: Columns) -> CalibrationRequest:
    from thetaline.service.fits import arrow_body  # noqa: PLC0415  pyarrow takes half a second that JSON need not pay

    arrow_body.add_parquet(path, columns, batch_rows=BATCH_ROWS)
    return _request(columns.observations(), header.model, header.anchors)


def _read_arrow(path: Path, header: CalibrateHeader, columns: Columns) -> CalibrationRequest:
    from thetaline.service.fits import arrow_body  # noqa: PLC0415  as above

    arrow_body.add_arrow(path, columns)
    return _request(columns.observations(), header.model, header.anchors)


READERS: Mapping[str, Reader] = {JSON: _read_json, NDJSON: _read_ndjson, PARQUET: _read_parquet, ARROW: _read_arrow}


def _model(body: CalibrateRequest | CalibrateHeader, query: CalibrateHeader) -> str:
    """The body's model, or the query's where the body names none. Raises a 422 where they differ."""
    if "model" not in body.model_fields_set:
        return query.model
    if "model" in query.model_fields_set and query.model != body.model:
        raise ApiError(422, f"the body asks for the model {body.model}, ?model= for {query.model}; give one of the two")
    return body.model


def _request(observations: Observations, model: str, anchors: Iterable[AnchorPayload]) -> CalibrationRequest:
    return CalibrationRequest(observations, model, tuple(_anchor(anchor) for anchor in anchors))


def _anchor(anchor: AnchorPayload) -> AnchorItem:
    params = anchor.params
    if params.a < LEAST_SLOPE:
        rule = f"a reference must discriminate, a > 0, and not less than {LEAST_SLOPE:g}"
        raise ApiError(422, f"anchor {anchor.item_id!r} has a = {params.a:g}; {rule}")
    return AnchorItem(anchor.item_id, params.a, params.b, params.c, params.d, anchor.model, anchor.fixed)


def _add_rows(columns: Columns, rows: list[Observation]) -> None:
    rows = [row for row in rows if row["is_correct"] is not None]
    columns.add(
        [row["user_id"] for row in rows],
        [row["item_id"] for row in rows],
        correct=np.array([row["is_correct"] for row in rows], dtype=np.uint8),
        answered_at=np.array([microseconds(row.get("responded_at")) for row in rows], dtype=np.int64),
    )


def _add_matrix(columns: Columns, matrix: list[list[Correct]]) -> None:
    """Learners and items of a matrix are named by their row and column, from 1."""
    row, item, correct = cells(matrix)
    columns.add(
        (row + 1).astype(str).tolist(),
        (item + 1).astype(str).tolist(),
        correct=correct,
        answered_at=np.zeros(correct.size, dtype=np.int64),
    )


def _is_observation(line: bytes) -> bool:
    try:
        first = from_json(line)
    except ValueError as error:
        raise ApiError(400, "line 1 is not JSON", str(error)) from None
    return isinstance(first, dict) and not first.keys() & {"model", "anchors"}


def _lines(file: BinaryIO) -> Iterator[bytes]:
    most = MAX_HEADER_BYTES
    while line := file.readline(most):
        if len(line) == most and not line.endswith(b"\n"):
            raise ApiError(413, f"a line is longer than {most} bytes")
        if line.strip():
            yield line
        most = MAX_LINE_BYTES


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch, n_bytes = [], 0
    for line in lines:
        batch.append(line)
        n_bytes += len(line)
        if len(batch) == BATCH_ROWS or n_bytes >= BATCH_BYTES:
            yield batch
            batch, n_bytes = [], 0
    if batch:
        yield batch


def _parsed(batch: list[bytes], first_number: int) -> list[Observation]:
    try:
        return _ROWS.validate_json(b"[" + b",".join(batch) + b"]")
    except ValidationError:
        raise _first_error(batch, first_number) from None


def _first_error(batch: list[bytes], first_number: int) -> ApiError:
    one = TypeAdapter(Observation)
    for number, line in enumerate(batch, first_number):
        try:
            one.validate_json(line)
        except ValidationError as error:
            told = validation_error(error)
            return ApiError(told.status, f"line {number}: {told.error}", told.detail)
    return ApiError(400, f"lines from {first_number} on are not one JSON object each")
