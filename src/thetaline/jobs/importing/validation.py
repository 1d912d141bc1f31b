"""Rows of text to answers: every value is parsed and checked; a row that fails is rejected with the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from thetaline.jobs.arrays import Objects
from thetaline.jobs.importing.columns import ParseOptions, Role, TimeUnit, seconds_or_milliseconds
from thetaline.jobs.importing.files import RejectedRow, RowBatch
from thetaline.jobs.importing.parsers import (
    EPOCH,
    Parser,
    parse_correct,
    parse_count,
    parse_hint,
    parse_instant,
    parse_response_time,
    parse_score,
)

LONGEST_ID = 200  # characters, the limit of exam_results.user_id and of json_code()
CLOCK_TOLERANCE = timedelta(minutes=5)  # exports come from other machines' clocks


@dataclass(frozen=True, slots=True)
class ValidatedBatch:
    """The answers of a batch, with the columns of the staging table, and the rows that are rejected."""

    answers: pa.Table
    rejected: tuple[RejectedRow, ...]


@dataclass(frozen=True, slots=True)
class RowValidator:
    """Validates batches of a file: its columns by role, the options, and the instant after which no answer may lie."""

    columns: Mapping[Role, str]
    options: ParseOptions
    now: datetime

    @property
    def names(self) -> dict[str, Role]:
        """The columns in use, each once, with the first of its roles."""
        names: dict[str, Role] = {}
        for role, name in self.columns.items():
            names.setdefault(name, role)
        return names

    def check(self, batch: RowBatch) -> ValidatedBatch:
        """The batch's answers and its rejected rows, in the order of their lines."""
        reasons: Objects = np.full(len(batch.lines), "", dtype=object)
        fields = dict(self._fields(batch, reasons))
        accepted = pa.array(reasons == "")
        table = pa.table({"line": pa.array(batch.lines, pa.int64()), **fields}).filter(accepted)
        rejected = [_rejected_row(batch, int(place), reasons[place]) for place in np.flatnonzero(reasons != "")]
        return ValidatedBatch(table, tuple(sorted([*rejected, *batch.rejected], key=lambda row: row.line)))

    def _fields(self, batch: RowBatch, reasons: Objects) -> Iterator[tuple[str, pa.Array]]:
        text = {role: batch.columns[name] for role, name in self.columns.items()}
        empty = pa.nulls(len(batch.lines), pa.large_string())
        for role, name in ((Role.USER, "user_id"), (Role.ITEM, "item_code")):
            yield name, _identifier(text[role], role, reasons, needed=True)
        yield "topic", _identifier(text.get(Role.TOPIC, empty), Role.TOPIC, reasons, needed=False)
        answer = text[Role.SCORE if Role.SCORE in text else Role.CORRECT]
        yield "answer_text", answer
        yield "correct", _parse(answer, self._answer_parser(), reasons, pa.bool_())
        instants = self._instants(text, reasons)
        yield "answered_at", instants
        yield "session_key", self._session_keys(text, instants, reasons)
        yield (
            "response_time_ms",
            _parse(text.get(Role.RESPONSE_TIME, empty), self._response_time_parser(), reasons, pa.int32()),
        )
        yield "hint_used", _parse(text.get(Role.HINT, empty), parse_hint, reasons, pa.bool_())

    def _answer_parser(self) -> Parser:
        return parse_score(self.options.threshold) if Role.SCORE in self.columns else parse_correct

    def _response_time_parser(self) -> Parser:
        named = seconds_or_milliseconds(self.columns.get(Role.RESPONSE_TIME, ""))
        return parse_response_time(self.options.response_time_unit or named)

    def _instants(self, text: Mapping[Role, pa.Array], reasons: Objects) -> pa.Array:
        """When each row was answered: its time, or its day plus the time since the start of the day."""
        n = len(reasons)
        start = self._day_starts(text, reasons)
        if Role.TIME in text:
            _note(reasons, pc.is_null(text[Role.TIME]), "no time")
            micros = _parse(text[Role.TIME], self._time_parser(), reasons, pa.int64())
        else:
            micros = pa.array(np.zeros(n, dtype=np.int64))
        instants = pc.add(micros, start).fill_null(0)
        _note(reasons, pc.greater(instants, _micros(self.now + CLOCK_TOLERANCE)), "time lies in the future")
        _note(reasons, pc.less(instants, 0), "time lies before 1970")
        within_reach = pc.if_else(pa.array(reasons == ""), instants, 0)  # of a calendar's days; the rest is rejected
        return within_reach.cast(pa.timestamp("us", tz="UTC"))

    def _session_keys(self, text: Mapping[Role, pa.Array], instants: pa.Array, reasons: Objects) -> pa.Array:
        """What distinguishes the sessions of a learner: the session column, else `dated-by`, else the day."""
        day = self._days(instants)
        if Role.SESSION in text:
            return pc.coalesce(_identifier(text[Role.SESSION], Role.SESSION, reasons, needed=False), day)
        if Role.DATED_BY in text:
            dates = {value: f"{value} {on}" for value, on in self.options.dates.items()}
            return pa.array([dates.get(value) for value in text[Role.DATED_BY].to_pylist()], pa.large_string())
        return day

    def _days(self, instants: pa.Array) -> pa.Array:
        """The day of each instant, YYYY-MM-DD."""
        numbers = self.options.calendar.day_numbers(np.asarray(instants.cast(pa.int64())))
        return pa.array(np.datetime_as_string(numbers.astype("datetime64[D]")), pa.large_string())

    def _day_starts(self, text: Mapping[Role, pa.Array], reasons: Objects) -> pa.Array:
        """Microseconds since 1970 of each row's given day; 0 where none is given."""
        if Role.DATED_BY not in text:
            day = self.options.calendar.start_micros(self.options.on) if self.options.on else 0
            return pa.array(np.full(len(reasons), day, dtype=np.int64))
        days = {value: self.options.calendar.start_micros(day) for value, day in self.options.dates.items()}
        return _parse(text[Role.DATED_BY].fill_null(""), _dated(days), reasons, pa.int64())

    def _time_parser(self) -> Parser:
        unit = self.options.time_unit
        if unit is None and (self.options.dates or self.options.on):
            unit = TimeUnit.MS
        return parse_instant(self.options.calendar.zone) if unit is None else parse_count(unit)


def _dated(days: Mapping[str, int]) -> Parser:
    return lambda value: (days[value], "") if value in days else (None, "no date is given for the row (--date-of)")


def _micros(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def _identifier(values: pa.Array, role: Role, reasons: Objects, *, needed: bool) -> pa.Array:
    if needed:
        _note(reasons, pc.is_null(values), f"no {role}")
    _note(reasons, pc.greater(pc.utf8_length(values), LONGEST_ID), f"{role} is longer than {LONGEST_ID} characters")
    _note(reasons, pc.match_substring(values, "\0"), f"{role} holds a NUL byte")
    _note(reasons, pc.not_equal(values, pc.utf8_trim_whitespace(values)), f"{role} begins or ends with a blank")
    return values


def _parse(values: pa.Array, parser: Parser, reasons: Objects, kind: pa.DataType) -> pa.Array:
    """Parse each distinct text once; what cannot be parsed is null, and its rows get the reason."""
    coded = values.dictionary_encode()
    parsed = [parser(text) for text in coded.dictionary.to_pylist()]
    for code, (_, reason) in enumerate(parsed):
        if reason:
            _note(reasons, pc.equal(coded.indices, code), reason)
    return pa.array([value for value, _ in parsed], kind).take(coded.indices)


def _note(reasons: Objects, rows: pa.Array, reason: str) -> None:
    """A row keeps the first reason that was noted."""
    mask = np.asarray(rows.fill_null(False))
    reasons[mask & (reasons == "")] = reason


def _rejected_row(batch: RowBatch, place: int, reason: str) -> RejectedRow:
    return RejectedRow(batch.lines[place], reason, tuple(column[place].as_py() for column in batch.columns.values()))
