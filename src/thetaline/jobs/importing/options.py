"""How the values of a file are parsed, and which of its rows count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from thetaline.errors import InputError
from thetaline.jobs.importing.answer_key import AnswerKey
from thetaline.jobs.importing.units import TimeUnit
from thetaline.jobs.importing.words import Verdict
from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar


@dataclass(frozen=True, slots=True)
class Filter:
    """Rows whose value of `column` is one of `values`; with `keeps_others` the rows whose value is none of them."""

    column: str
    values: tuple[str, ...]
    keeps_others: bool = False

    def mask(self, texts: pa.Array) -> pa.Array:
        """Which rows count, (n,); an empty field is the empty value, 1.0 is 1."""
        plain = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts.fill_null("")), r"^(\d+)\.0+$", r"\1")
        among = pc.is_in(plain, value_set=pa.array(self.values, pa.large_string()))
        return pc.invert(among) if self.keeps_others else among

    def __str__(self) -> str:
        """As it is written on the command line."""
        return f"{self.column}{'!=' if self.keeps_others else '='}{'|'.join(self.values)}"


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """How values are parsed; `dates` gives the rows with a value of the `dated-by` column their day."""

    threshold: float | None = None  # a score at or above it is a correct answer
    max_score: float | None = None  # what a full score is; None: 1
    words: Mapping[str, Verdict] = field(default_factory=dict)  # answers by text, in place of the usual words
    key: AnswerKey | None = None
    item_prefix: str | None = None  # before each item's code; empty: the codes are those of other files too
    topic_separator: str | None = None
    filters: Sequence[Filter] = ()
    time_unit: TimeUnit | None = None
    time_format: str | None = None
    response_time_unit: TimeUnit | None = None  # None: by the column's name
    dates: Mapping[str, date] = field(default_factory=dict)
    on: date | None = None  # the day of every row
    calendar: SchoolCalendar = UTC_DAYS  # of times without an offset, of given days, of sessions of a day


def row_filter(text: str) -> Filter:
    """`COLUMN=VALUE` or `COLUMN!=VALUE` of --filter; several values with a bar between them.  Raises InputError."""
    column, equals, values = text.partition("=")
    if not equals or not column.rstrip("!").strip():
        raise InputError(f"--filter {text!r} must be COLUMN=VALUE or COLUMN!=VALUE; several values are A|B")
    return Filter(column.removesuffix("!").strip(), tuple(map(str.strip, values.split("|"))), column.endswith("!"))
