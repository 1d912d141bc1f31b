"""Rows of text to answers: every value is read and checked, a row with a fault is named and left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from thetaline.jobs.importing.columns import Reading, Role, TimeUnit, seconds_or_milliseconds
from thetaline.jobs.importing.files import BadRow, Batch
from thetaline.jobs.importing.parsers import (
    EPOCH,
    Reader,
    read_correct,
    read_count,
    read_hint,
    read_instant,
    read_response_time,
    read_score,
)

LONGEST_ID = 200  # characters, the limit of exam_results.user_id and of json_code()
CLOCK_TOLERANCE = timedelta(minutes=5)  # exports come from other machines' clocks

_DAY_MICROS = 86_400_000_000
_Faults = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Checked:
    """The answers of a batch, one column a field of the staging table, and the rows that are none."""

    answers: pa.Table
    bad: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks batches of a file: its columns by role, how they are read, and the instant that nothing may lie after."""

    columns: Mapping[Role, str]
    reading: Reading
    now: datetime

    @property
    def names(self) -> dict[str, Role]:
        """The columns that are read, each once, with the first of its roles."""
        names: dict[str, Role] = {}
        for role, name in self.columns.items():
            names.setdefault(name, role)
        return names

    def check(self, batch: Batch) -> Checked:
        """The batch's answers and its bad rows, in the order of their lines."""
        faults: _Faults = np.full(len(batch.lines), "", dtype=object)
        fields = dict(self._fields(batch, faults))
        fine = pa.array(faults == "")
        table = pa.table({"line": pa.array(batch.lines, pa.int64()), **fields}).filter(fine)
        wrong = [_bad_row(batch, int(place), faults[place]) for place in np.flatnonzero(faults != "")]
        return Checked(table, tuple(sorted([*wrong, *batch.unreadable], key=lambda row: row.line)))

    def _fields(self, batch: Batch, faults: _Faults) -> Iterator[tuple[str, pa.Array]]:
        text = {role: batch.columns[name] for role, name in self.columns.items()}
        empty = pa.nulls(len(batch.lines), pa.large_string())
        for role, name in ((Role.USER, "user_id"), (Role.ITEM, "item_code")):
            yield name, _identifier(text[role], role, faults, needed=True)
        yield "topic", _identifier(text.get(Role.TOPIC, empty), Role.TOPIC, faults, needed=False)
        answer = text[Role.SCORE if Role.SCORE in text else Role.CORRECT]
        yield "said", answer
        yield "correct", _read(answer, self._answer_reader(), faults, pa.bool_())
        instants = self._instants(text, faults)
        yield "answered_at", instants
        yield "session_key", self._sittings(text, instants, faults)
        yield "response_time_ms", _read(text.get(Role.RESPONSE_TIME, empty), self._time_reader(), faults, pa.int32())
        yield "hint_used", _read(text.get(Role.HINT, empty), read_hint, faults, pa.bool_())

    def _answer_reader(self) -> Reader:
        return read_score(self.reading.threshold) if Role.SCORE in self.columns else read_correct

    def _time_reader(self) -> Reader:
        named = seconds_or_milliseconds(self.columns.get(Role.RESPONSE_TIME, ""))
        return read_response_time(self.reading.response_time_unit or named)

    def _instants(self, text: Mapping[Role, pa.Array], faults: _Faults) -> pa.Array:
        """When each row was answered: its time, or its day and the time since that day's start."""
        n = len(faults)
        start = self._day_starts(text, faults)
        if Role.TIME in text:
            _note(faults, pc.is_null(text[Role.TIME]), "no time")
            micros = _read(text[Role.TIME], self._clock_reader(), faults, pa.int64())
        else:
            micros = pa.array(np.zeros(n, dtype=np.int64))
        instants = pc.add(micros, start).fill_null(0)
        _note(faults, pc.greater(instants, _micros(self.now + CLOCK_TOLERANCE)), "time lies in the future")
        _note(faults, pc.less(instants, 0), "time lies before 1970")
        return instants.cast(pa.timestamp("us", tz="UTC"))

    def _sittings(self, text: Mapping[Role, pa.Array], instants: pa.Array, faults: _Faults) -> pa.Array:
        """What tells a learner's sittings apart: the session, else what the row is dated by, else the day."""
        day = pc.strftime(instants, "%Y-%m-%d").cast(pa.large_string())
        if Role.SESSION in text:
            return pc.coalesce(_identifier(text[Role.SESSION], Role.SESSION, faults, needed=False), day)
        if Role.DATED_BY in text:
            dates = {value: f"{value} {on}" for value, on in self.reading.dates.items()}
            return pa.array([dates.get(value) for value in text[Role.DATED_BY].to_pylist()], pa.large_string())
        return day

    def _day_starts(self, text: Mapping[Role, pa.Array], faults: _Faults) -> pa.Array:
        """Microseconds since 1970 of each row's given day; zero where the time column alone says when."""
        if Role.DATED_BY not in text:
            day = _day_micros(self.reading.on.toordinal()) if self.reading.on else 0
            return pa.array(np.full(len(faults), day, dtype=np.int64))
        days = {value: _day_micros(day.toordinal()) for value, day in self.reading.dates.items()}
        return _read(text[Role.DATED_BY].fill_null(""), _dated(days), faults, pa.int64())

    def _clock_reader(self) -> Reader:
        unit = self.reading.time_unit
        if unit is None and (self.reading.dates or self.reading.on):
            unit = TimeUnit.MS
        return read_instant if unit is None else read_count(unit)


def _dated(days: Mapping[str, int]) -> Reader:
    return lambda value: (days[value], "") if value in days else (None, "no date is given for the row (--date-of)")


def _day_micros(ordinal: int) -> int:
    return (ordinal - EPOCH.toordinal()) * _DAY_MICROS


def _micros(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def _identifier(values: pa.Array, role: Role, faults: _Faults, *, needed: bool) -> pa.Array:
    if needed:
        _note(faults, pc.is_null(values), f"no {role}")
    _note(faults, pc.greater(pc.utf8_length(values), LONGEST_ID), f"{role} is longer than {LONGEST_ID} characters")
    _note(faults, pc.match_substring(values, "\0"), f"{role} holds a NUL byte")
    _note(faults, pc.not_equal(values, pc.utf8_trim_whitespace(values)), f"{role} begins or ends with a blank")
    return values


def _read(values: pa.Array, reader: Reader, faults: _Faults, kind: pa.DataType) -> pa.Array:
    """Read each distinct text once; what cannot be read is null and its rows are noted."""
    coded = values.dictionary_encode()
    readings = [reader(text) for text in coded.dictionary.to_pylist()]
    for code, (_, fault) in enumerate(readings):
        if fault:
            _note(faults, pc.equal(coded.indices, code), fault)
    return pa.array([value for value, _ in readings], kind).take(coded.indices)


def _note(faults: _Faults, rows: pa.Array, reason: str) -> None:
    """A row keeps the first reason that was noted."""
    mask = np.asarray(rows.fill_null(False))
    faults[mask & (faults == "")] = reason


def _bad_row(batch: Batch, place: int, reason: str) -> BadRow:
    return BadRow(batch.lines[place], reason, tuple(column[place].as_py() for column in batch.columns.values()))
