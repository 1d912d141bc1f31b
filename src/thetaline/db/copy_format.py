"""PostgreSQL's COPY formats: binary rows to arrays, arrays to CSV rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from thetaline.errors import DatabaseError

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER_BYTES = len(SIGNATURE) + 8  # flags and the length of an extension that does not exist yet
FIELD_COUNT = "number of fields"
TRAILER = b"\xff\xff"
BUFFER_BYTES = 8 * 2**20
EPOCH = {"datetime64[us]": np.datetime64("2000-01-01", "us"), "datetime64[D]": np.datetime64("2000-01-01", "D")}
_CSV = csv.WriteOptions(include_header=False)


class BinaryRows:
    """A stream of binary COPY rows, all of one width, taken apart into arrays as it comes.

    A row is a 2-byte count of fields, then each field as its 4-byte length and its bytes, big-endian.
    """

    def __init__(self, dtypes: dict[str, np.dtype[Any]]) -> None:
        """Expect these columns in this order."""
        self.dtypes = dtypes
        fields = [part for name, kind in dtypes.items() for part in ((_length(name), ">i4"), (name, _wire(kind)))]
        self.row = np.dtype([(FIELD_COUNT, ">i2"), *fields])
        self.n_rows = 0
        self._buffer = bytearray()
        self._has_header = False
        self._parts: dict[str, list[NDArray[Any]]] = {name: [] for name in dtypes}

    def feed(self, data: bytes) -> bool:
        """Take the next bytes, of any number; says whether `n_rows` grew."""
        self._buffer += data
        if len(self._buffer) < BUFFER_BYTES:
            return False
        self._drain()
        return True

    def columns(self) -> dict[str, NDArray[Any]]:
        """The arrays (M,); the parts are given up column by column, so memory peaks at the result and one column."""
        self._drain()
        if self._buffer != TRAILER:
            raise DatabaseError(f"the rows after row {self.n_rows} are cut short: {self._expected()}")
        return {name: _joined(self._parts.pop(name), kind) for name, kind in self.dtypes.items()}

    def _drain(self) -> None:
        if not self._has_header:
            if not self._buffer.startswith(SIGNATURE):
                raise DatabaseError("the server's answer is not in the binary COPY format")
            del self._buffer[:HEADER_BYTES]
            self._has_header = True
        n_bytes = len(self._buffer) // self.row.itemsize * self.row.itemsize  # the trailer is shorter than a row
        if n_bytes:
            self._take(np.frombuffer(bytes(self._buffer[:n_bytes]), dtype=self.row))
            del self._buffer[:n_bytes]

    def _take(self, rows: NDArray[Any]) -> None:
        wrong = rows[FIELD_COUNT] != len(self.dtypes)
        for name, kind in self.dtypes.items():
            wrong |= rows[_length(name)] != _wire(kind).itemsize
        if wrong.any():
            raise DatabaseError(f"row {self.n_rows + int(np.argmax(wrong)) + 1} does not fit: {self._expected()}")
        for name, kind in self.dtypes.items():
            self._parts[name].append(_native(rows[name], kind))
        self.n_rows += rows.size

    def _expected(self) -> str:
        columns = ", ".join(f"{name} {kind}" for name, kind in self.dtypes.items())
        return f"the query must give {columns}, never null"


def csv_rows(columns: Sequence[NDArray[Any]]) -> memoryview:
    """The rows in COPY's CSV format; None, NaN and NaT are null, an empty text is a quoted nothing."""
    names = [str(number) for number in range(len(columns))]
    rows = pa.BufferOutputStream()
    csv.write_csv(pa.RecordBatch.from_arrays([_arrow(one) for one in columns], names), rows, _CSV)
    return memoryview(rows.getvalue())


def _length(name: str) -> str:
    return f"length of {name}"


def _wire(kind: np.dtype[Any]) -> np.dtype[Any]:
    """How PostgreSQL sends it: big-endian; times as microseconds, dates as days since 2000."""
    if kind.kind == "M":
        return np.dtype(">i4" if kind == np.dtype("datetime64[D]") else ">i8")
    return kind.newbyteorder(">")


def _native(values: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    if kind.kind == "M":
        return EPOCH[kind.name] + values.astype(np.int64).view(kind.str.replace("M", "m"))
    return values.astype(kind)


def _joined(parts: list[NDArray[Any]], kind: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)


def _arrow(column: NDArray[Any]) -> pa.Array:
    """Numbers and times as they are, everything else as its text."""
    if column.strides == (0,) and column.size:  # one value for all rows
        return pa.repeat(_arrow(column[:1].copy())[0], column.size)
    if column.dtype.kind in "iufb":
        return pa.array(column, from_pandas=True)
    if column.dtype.kind == "M":
        is_date = column.dtype == np.dtype("datetime64[D]")
        return pa.array(column) if is_date else pa.array(column.astype("datetime64[us]"), pa.timestamp("us", "UTC"))
    return pa.array([_text(value) for value in column.tolist()], pa.string())


def _text(value: object) -> str | None:
    return None if value is None or value != value else str(value)  # noqa: PLR0124 - NaN differs from itself
