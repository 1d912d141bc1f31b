"""When each row was answered, and on which day: by the row's time, or by a given day and what orders the rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from thetaline.jobs.importing.columns import Columns, Role
from thetaline.jobs.importing.faults import Faults
from thetaline.jobs.importing.files import RowBatch
from thetaline.jobs.importing.options import ParseOptions
from thetaline.jobs.importing.parsers import PAIR, Parser, parse_place
from thetaline.jobs.importing.times import EPOCH, TimeForm, TimeParser, count_since, form_of_times
from thetaline.jobs.importing.units import TimeUnit

CLOCK_TOLERANCE = timedelta(minutes=5)  # exports come from other machines' clocks

Texts = Mapping[Role, pa.Array]


@dataclass(frozen=True, slots=True)
class RowInstants:
    """Reads the instants of a file's rows; none may lie after `now`."""

    options: ParseOptions
    now: datetime
    form: TimeForm | None  # None: the file has no times, or times since its rows' days began

    @classmethod
    def of_file(cls, columns: Columns, options: ParseOptions, now: datetime, first: RowBatch) -> "RowInstants":
        """The form of the times is told by the first rows.  Raises InputError where it cannot be."""
        if Role.TIME not in columns or options.on or options.dates:
            return cls(options, now, None)
        texts = [text for text in pc.unique(first.columns[columns[Role.TIME][0]]).to_pylist() if text]
        zone = options.calendar.zone
        form = form_of_times(texts, default_zone=zone, time_format=options.time_format, unit=options.time_unit)
        return cls(options, now, form)

    @property
    def words(self) -> str:
        """How times are read."""
        return f"{self._unit.words} since the day began" if self.form is None else self.form.words

    @property
    def _unit(self) -> TimeUnit:
        return self.options.time_unit or TimeUnit.MS

    def micros(self, text: Texts, rows: pa.Array, faults: Faults) -> pa.Array:
        """(n,) microseconds since 1970, 0 for a row that is rejected; `rows` are the rows' numbers in the file."""
        if Role.TIME in text:
            faults.note(pc.is_null(text[Role.TIME]), "no time")
            parse = count_since(self._unit) if self.form is None else self.form.parse
            order = _place(text, Role.ATTEMPT, 1, faults, pa.array(np.zeros(faults.n, np.int64)))
            micros = pc.add(_parsed(text, parse, faults), order)
        else:
            micros = self._order(text, rows, faults)
        if self.form is None:
            micros = pc.add(micros, self._day_starts(text, faults))
        instants = micros.fill_null(0)
        faults.note(pc.greater(instants, _micros(self.now + CLOCK_TOLERANCE)), "time lies in the future")
        faults.note(pc.less(instants, 0), "time lies before 1970")
        return pc.if_else(pa.array(faults.sound), instants, 0)  # within reach of a calendar's days

    def days(self, instants: pa.Array) -> pa.Array:
        """The day of each instant, YYYY-MM-DD."""
        numbers = self.options.calendar.day_numbers(np.asarray(instants))
        return pa.array(np.datetime_as_string(numbers.astype("datetime64[D]")), pa.large_string())

    @staticmethod
    def _order(text: Texts, rows: pa.Array, faults: Faults) -> pa.Array:
        """What orders the rows of a file without times; without such a column they are in order."""
        if Role.ORDER in text:
            return _place(text, Role.ORDER, 0, faults, rows)
        return _place(text, Role.ATTEMPT, 1, faults, rows)

    def _day_starts(self, text: Texts, faults: Faults) -> pa.Array:
        """Microseconds since 1970 of each row's given day."""
        start = self.options.calendar.start_micros
        if Role.DATED_BY not in text:
            day = start(self.options.on) if self.options.on else 0
            return pa.array(np.full(faults.n, day, dtype=np.int64))
        days = {value: start(day) for value, day in self.options.dates.items()}
        return faults.parse(text[Role.DATED_BY].fill_null(""), _dated(days), pa.int64())


def _parsed(text: Texts, parse: TimeParser, faults: Faults) -> pa.Array:
    """The times, each in the zone of its row where the file has zones."""
    if Role.ZONE not in text:
        return faults.parse(text[Role.TIME], lambda one: parse(one, None), pa.int64())
    return faults.parse_pair(text[Role.TIME], text[Role.ZONE], lambda pair: parse(*_split(pair)), pa.int64())


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
