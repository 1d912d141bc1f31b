"""Rows of text to answers: every value is parsed and checked; a row that fails is rejected with all its reasons."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from thetaline.jobs.importing.columns import Columns, Role
from thetaline.jobs.importing.faults import Faults
from thetaline.jobs.importing.files import RejectedRow, RowBatch
from thetaline.jobs.importing.identifiers import LONGEST_ID, checked, joined_code, prefixed
from thetaline.jobs.importing.instants import RowInstants, Texts
from thetaline.jobs.importing.options import ParseOptions
from thetaline.jobs.importing.parsers import (
    PAIR,
    parse_correct,
    parse_hint,
    parse_response,
    parse_response_time,
    parse_score,
)
from thetaline.jobs.importing.text_arrays import composed, text_array_literals
from thetaline.jobs.importing.units import TimeUnit, response_time_unit
from thetaline.jobs.importing.words import Verdict


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
    """Validates batches of a file: its columns by role, the options, and how its rows have their instants."""

    columns: Columns
    options: ParseOptions
    instants: RowInstants

    @property
    def units(self) -> dict[Role, str]:
        """What the numbers of the columns count, and how times are read."""
        units = {}
        if Role.RESPONSE_TIME in self.columns:
            units[Role.RESPONSE_TIME] = self._response_time_unit().words
        if Role.TIME in self.columns:
            units[Role.TIME] = self.instants.words
        return units

    def check(self, batch: RowBatch, first_row: int) -> ValidatedBatch:
        """The batch's answers and its rejected rows; `first_row` rows of the file came before it."""
        n, batch = len(batch.lines), composed(batch)
        wanted = np.ones(n, dtype=bool)
        for one in self.options.filters:
            wanted &= np.asarray(one.mask(batch.columns[one.column]))
        faults = Faults(wanted)
        rows = pa.array(np.arange(first_row, first_row + n))
        fields = dict(self._fields(batch, rows, faults))
        table = pa.table({"line": pa.array(batch.lines, pa.int64()), **fields}).filter(pa.array(faults.sound))
        rejected = [
            RejectedRow(batch.lines[place], tuple(reasons), tuple(one[place].as_py() for one in batch.columns.values()))
            for place, reasons in faults.of_row.items()
        ]
        in_order = tuple(sorted([*rejected, *batch.rejected], key=lambda row: row.line))
        return ValidatedBatch(table, in_order, int((~wanted).sum()), faults.left_out)

    def _fields(self, batch: RowBatch, rows: pa.Array, faults: Faults) -> Iterator[tuple[str, pa.Array]]:
        text = {role: joined_code([batch.columns[name] for name in its]) for role, its in self.columns.items()}
        empty = pa.nulls(faults.n, pa.large_string())
        codes = prefixed(text[Role.ITEM], self.options.item_prefix)
        for role, name, ids in ((Role.USER, "user_id", text[Role.USER]), (Role.ITEM, "item_code", codes)):
            yield name, checked(ids, role, faults, needed=True)
        yield "topics", self._topics([batch.columns[name] for name in self.columns.get(Role.TOPIC, ())], faults)
        response = pc.replace_substring(text.get(Role.RESPONSE, empty), "\0", "")
        answer, correct = self._answers({**text, Role.RESPONSE: response}, faults)
        yield from (("answer_text", answer), ("correct", correct))
        yield "response", pc.utf8_slice_codeunits(response, 0, LONGEST_ID)
        instants = self.instants.micros(text, rows, faults)
        yield "answered_at", instants.cast(pa.timestamp("us", tz="UTC"))
        yield "session_key", self._session_keys(text, self.instants.days(instants), faults)
        yield "response_time_ms", self._response_times(text, empty, faults)
        yield "hint_used", faults.parse(text.get(Role.HINT, empty), parse_hint, pa.bool_())

    def _topics(self, columns: list[pa.Array], faults: Faults) -> pa.Array:
        """The topics of each answer, as PostgreSQL writes an array of texts."""
        separator = self.options.topic_separator
        for texts in columns:
            checked(texts, Role.TOPIC, faults, separator=separator)
        missing = [word for word, meant in self.options.words.items() if meant is Verdict.MISSING]
        return text_array_literals(columns, faults.n, separator, missing)

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

    def _session_keys(self, text: Texts, day: pa.Array, faults: Faults) -> pa.Array:
        """What distinguishes the sessions of a learner: the session column, else `dated-by`, else the day."""
        if Role.SESSION in text:
            return pc.coalesce(checked(text[Role.SESSION], Role.SESSION, faults), day)
        if Role.DATED_BY in text:
            dates = {value: f"{value} {on}" for value, on in self.options.dates.items()}
            return pa.array([dates.get(value) for value in text[Role.DATED_BY].to_pylist()], pa.large_string())
        return day
