"""Rows of text to answers: every value is parsed and checked; a row that fails is rejected with all its reasons."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from thetaline.jobs.importing.columns import Columns, Role
from thetaline.jobs.importing.faults import Faults
from thetaline.jobs.importing.files import RejectedRow, RowBatch
from thetaline.jobs.importing.options import ParseOptions
from thetaline.jobs.importing.parsers import (
    PAIR,
    Parser,
    parse_correct,
    parse_hint,
    parse_place,
    parse_response,
    parse_response_time,
    parse_score,
)
from thetaline.jobs.importing.text_arrays import text_array_literals
from thetaline.jobs.importing.times import EPOCH, TimeForm, count_since, form_of_times
from thetaline.jobs.importing.units import TimeUnit, response_time_unit
from thetaline.jobs.importing.words import Verdict

LONGEST_ID = 200  # characters, the limit of exam_results.user_id and of json_code()
CLOCK_TOLERANCE = timedelta(minutes=5)  # exports come from other machines' clocks
KEY_PARTS = "|"  # between the parts of a code that several columns make

Texts = Mapping[Role, pa.Array]


@dataclass(frozen=True, slots=True)
class ValidatedBatch:
    """The answers of a batch, with the columns of the staging table, and what is no answer.

    `filtered` rows were asked to be left aside; `left_out` counts values that a row lost while it counts.
    """

    answers: pa.Table
    rejected: tuple[RejectedRow, ...]
    filtered: int
    left_out: Counter[str]


@dataclass(frozen=True, slots=True)
class RowValidator:
    """Validates batches of a file: its columns by role, the options, and the instant after which no answer may lie."""

    columns: Columns
    options: ParseOptions
    now: datetime
    times: TimeForm | None  # None: the file has no times

    @classmethod
    def of_file(cls, columns: Columns, options: ParseOptions, now: datetime, first: RowBatch) -> "RowValidator":
        """The form of the times is told by the first rows.  Raises InputError where it cannot be."""
        if Role.TIME not in columns or options.on or options.dates:
            return cls(columns, options, now, None)
        texts = [text for text in pc.unique(first.columns[columns[Role.TIME][0]]).to_pylist() if text]
        form = form_of_times(
            texts, default_zone=options.calendar.zone, time_format=options.time_format, unit=options.time_unit
        )
        return cls(columns, options, now, form)

    @property
    def units(self) -> dict[Role, str]:
        """What the numbers of the columns count, and how times are read."""
        units = {}
        if Role.RESPONSE_TIME in self.columns:
            units[Role.RESPONSE_TIME] = self._response_time_unit().words
        if self.times is not None:
            units[Role.TIME] = self.times.words
        elif Role.TIME in self.columns:
            units[Role.TIME] = f"{self._unit_of_day().words} since the day began"
        return units

    def check(self, batch: RowBatch, first_row: int) -> ValidatedBatch:
        """The batch's answers and its rejected rows; `first_row` rows of the file came before it."""
        wanted = np.ones(len(batch.lines), dtype=bool)
        for one in self.options.filters:
            wanted &= np.asarray(one.mask(batch.columns[one.column]))
        faults = Faults(len(batch.lines))
        rows = pa.array(np.arange(first_row, first_row + faults.n))
        fields = dict(self._fields(batch, rows, faults))
        accepted = pa.array(faults.sound & wanted)
        table = pa.table({"line": pa.array(batch.lines, pa.int64()), **fields}).filter(accepted)
        rejected = [
            RejectedRow(batch.lines[place], tuple(reasons), tuple(one[place].as_py() for one in batch.columns.values()))
            for place, reasons in faults.of_row.items()
            if wanted[place]
        ]
        in_order = tuple(sorted([*rejected, *batch.rejected], key=lambda row: row.line))
        return ValidatedBatch(table, in_order, int((~wanted).sum()), faults.left_out)

    def _fields(self, batch: RowBatch, rows: pa.Array, faults: Faults) -> Iterator[tuple[str, pa.Array]]:
        text = {role: _one_text(role, [batch.columns[name] for name in its]) for role, its in self.columns.items()}
        empty = pa.nulls(faults.n, pa.large_string())
        for role, name in ((Role.USER, "user_id"), (Role.ITEM, "item_code")):
            yield name, _identifier(text[role], role, faults, needed=True)
        yield "topics", self._topics([batch.columns[name] for name in self.columns.get(Role.TOPIC, ())], faults)
        answer, correct = self._answers(text, faults)
        yield from (("answer_text", answer), ("correct", correct))
        yield "response", pc.utf8_slice_codeunits(text.get(Role.RESPONSE, empty), 0, LONGEST_ID)
        instants = self._instants(text, rows, faults)
        yield "answered_at", instants.cast(pa.timestamp("us", tz="UTC"))
        yield "session_key", self._session_keys(text, instants, faults)
        yield "response_time_ms", self._response_times(text, empty, faults)
        yield "hint_used", faults.parse(text.get(Role.HINT, empty), parse_hint, pa.bool_())

    def _topics(self, columns: list[pa.Array], faults: Faults) -> pa.Array:
        """The topics of each answer, as PostgreSQL writes an array of texts."""
        for texts in columns:
            _identifier(texts, Role.TOPIC, faults, needed=False, separator=self.options.topic_separator)
        missing = [word for word, meant in self.options.words.items() if meant is Verdict.MISSING]
        return text_array_literals(columns, faults.n, self.options.topic_separator, missing)

    def _answers(self, text: Texts, faults: Faults) -> tuple[pa.Array, pa.Array]:
        """What was written, and whether it is right (null: unanswered)."""
        options = self.options
        if options.key is not None:
            answer, parser = text[Role.RESPONSE], parse_response(options.key, options.threshold, options.words)
            pairs = pc.binary_join_element_wise(text[Role.ITEM], answer, pa.scalar(PAIR, pa.large_string()))
            return answer, faults.parse(pairs, parser, pa.bool_())
        if Role.SCORE not in text:
            return text[Role.CORRECT], faults.parse(text[Role.CORRECT], parse_correct(options.words), pa.bool_())
        answer, parser = text[Role.SCORE], parse_score(options.threshold, options.max_score, options.words)
        if Role.MAX_SCORE in text:
            return answer, faults.parse_pair(answer, text[Role.MAX_SCORE], parser, pa.bool_())
        return answer, faults.parse(answer, parser, pa.bool_())

    def _response_time_unit(self) -> TimeUnit:
        return response_time_unit(self.columns[Role.RESPONSE_TIME][0], self.options.response_time_unit)

    def _response_times(self, text: Texts, empty: pa.Array, faults: Faults) -> pa.Array:
        if Role.RESPONSE_TIME not in text:
            return empty.cast(pa.int32())
        return faults.parse(text[Role.RESPONSE_TIME], parse_response_time(self._response_time_unit()), pa.int32())

    def _unit_of_day(self) -> TimeUnit:
        return self.options.time_unit or TimeUnit.MS

    def _instants(self, text: Texts, rows: pa.Array, faults: Faults) -> pa.Array:
        """When each row was answered, in microseconds since 1970; 0 for a row that is rejected."""
        if self.times is not None:
            micros = self._times(text, faults)
        else:
            micros = pc.add(self._day_starts(text, faults), self._since_day_began(text, rows, faults))
        if self.times is not None or Role.TIME in text:  # else the attempts are the order already
            micros = pc.add(micros, _place(text, Role.ATTEMPT, 1, faults, pa.array(np.zeros(faults.n, np.int64))))
        instants = micros.fill_null(0)
        faults.note(pc.greater(instants, _micros(self.now + CLOCK_TOLERANCE)), "time lies in the future")
        faults.note(pc.less(instants, 0), "time lies before 1970")
        return pc.if_else(pa.array(faults.sound), instants, 0)  # within reach of a calendar's days

    def _times(self, text: Texts, faults: Faults) -> pa.Array:
        if self.times is None:
            raise AssertionError
        faults.note(pc.is_null(text[Role.TIME]), "no time")
        parse = self.times.parse
        zones = text.get(Role.ZONE)
        if zones is None:
            return faults.parse(text[Role.TIME], lambda one: parse(one, None), pa.int64())
        return faults.parse_pair(text[Role.TIME], zones, lambda pair: parse(*_split(pair)), pa.int64())

    def _since_day_began(self, text: Texts, rows: pa.Array, faults: Faults) -> pa.Array:
        """Microseconds by the file's times, else by what orders its rows, which is their order where nothing is."""
        if Role.TIME in text:
            faults.note(pc.is_null(text[Role.TIME]), "no time")
            parse = count_since(self._unit_of_day())
            return faults.parse(text[Role.TIME], lambda one: parse(one, None), pa.int64())
        if Role.ORDER in text:
            return _place(text, Role.ORDER, 0, faults, rows)
        return _place(text, Role.ATTEMPT, 1, faults, rows)

    def _session_keys(self, text: Texts, instants: pa.Array, faults: Faults) -> pa.Array:
        """What distinguishes the sessions of a learner: the session column, else `dated-by`, else the day."""
        numbers = self.options.calendar.day_numbers(np.asarray(instants))
        day = pa.array(np.datetime_as_string(numbers.astype("datetime64[D]")), pa.large_string())
        if Role.SESSION in text:
            return pc.coalesce(_identifier(text[Role.SESSION], Role.SESSION, faults, needed=False), day)
        if Role.DATED_BY in text:
            dates = {value: f"{value} {on}" for value, on in self.options.dates.items()}
            return pa.array([dates.get(value) for value in text[Role.DATED_BY].to_pylist()], pa.large_string())
        return day

    def _day_starts(self, text: Texts, faults: Faults) -> pa.Array:
        """Microseconds since 1970 of each row's given day."""
        start = self.options.calendar.start_micros
        if Role.DATED_BY not in text:
            day = start(self.options.on) if self.options.on else 0
            return pa.array(np.full(faults.n, day, dtype=np.int64))
        days = {value: start(day) for value, day in self.options.dates.items()}
        return faults.parse(text[Role.DATED_BY].fill_null(""), _dated(days), pa.int64())


def _one_text(role: Role, columns: list[pa.Array]) -> pa.Array:
    """The text of a role: of a learner and an item the parts of the code."""
    if role is Role.RESPONSE:
        return pc.replace_substring(columns[0], "\0", "")
    if role in (Role.USER, Role.ITEM) and len(columns) > 1:
        parts = [pc.replace_substring(pc.replace_substring(one, "\\", "\\\\"), KEY_PARTS, "\\|") for one in columns]
        return pc.binary_join_element_wise(*parts, pa.scalar(KEY_PARTS, pa.large_string()))
    return columns[0]  # topics are read column by column


def _place(text: Texts, role: Role, first: int, faults: Faults, otherwise: pa.Array) -> pa.Array:
    """Microseconds that put rows in the order of that column's numbers."""
    if role not in text:
        return otherwise
    return faults.parse(text[role], parse_place(role, first), pa.int64()).fill_null(0)


def _split(pair: str) -> tuple[str, str | None]:
    first, _, second = pair.partition(PAIR)
    return first, second or None


def _dated(days: Mapping[str, int]) -> Parser:
    return lambda value: (days[value], "") if value in days else (None, "no date is given for the row (--date-of)")


def _micros(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def _identifier(
    values: pa.Array, role: Role, faults: Faults, *, needed: bool, separator: str | None = None
) -> pa.Array:
    if needed:
        faults.note(pc.is_null(values), f"no {role}")
    faults.note(_longer(values, separator), f"{role} is longer than {LONGEST_ID} characters")
    faults.note(pc.match_substring(values, "\0"), f"{role} holds a NUL byte")
    faults.note(pc.not_equal(values, pc.utf8_trim_whitespace(values)), f"{role} begins or ends with a blank")
    return values


def _longer(values: pa.Array, separator: str | None) -> pa.Array:
    """Whether a text, or a part of it, is too long."""
    if separator is None:
        return pc.greater(pc.utf8_length(values), LONGEST_ID)
    parts = pc.split_pattern(values.fill_null(""), separator)
    too_long = pc.greater(pc.utf8_length(pc.list_flatten(parts)), LONGEST_ID)
    return pc.is_in(pa.array(np.arange(len(values))), value_set=pc.list_parent_indices(parts).filter(too_long))
