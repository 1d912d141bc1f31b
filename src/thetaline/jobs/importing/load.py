"""Checked answers into the database: staged by COPY, compared with what is stored, written set by set."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.rows import dict_row, tuple_row
from pyarrow import csv

from thetaline import db
from thetaline.jobs.importing.columns import Role
from thetaline.jobs.importing.files import BadRow
from thetaline.jobs.importing.rejected_rows import BadRows

STAGED = (
    "line", "user_id", "item_code", "topic", "session_key",
    "said", "correct", "answered_at", "response_time_ms", "hint_used",
)  # fmt: skip
# What a staged row says about each role, in the order that the statements return after line and reason.
_RETURNED = (Role.USER, Role.ITEM, Role.TOPIC, Role.SESSION, Role.CORRECT, Role.TIME, Role.RESPONSE_TIME, Role.HINT)

_SQL = db.sql("jobs/importing/load.sql")


@dataclass(frozen=True, slots=True)
class Loading:
    """One import's way into the database, inside the transaction of `conn`."""

    conn: psycopg.Connection[Any]
    roles: Sequence[Role]  # in the order of a bad row's values

    def stage(self, tables: Iterable[pa.Table]) -> None:
        """COPY the answers into a temporary table; other imports wait until this transaction ends."""
        self.conn.execute(_SQL["one_import_at_a_time"])
        self.conn.execute(_SQL["create_staged"])
        with self.conn.cursor() as cursor, cursor.copy(_SQL["copy_staged"]) as copy:
            for table in tables:
                copy.write(_as_csv(table))
        self.conn.execute(_SQL["analyze_staged"])

    def compare(self, bad: BadRows) -> dict[str, Any]:
        """Find what is new; repeated and contradictory rows go to `bad`. Returns counts of what would be written."""
        self._take("take_repeated", bad)
        self.conn.execute(_SQL["create_staged_item"])
        self.conn.execute(_SQL["create_pending"])
        self._take("take_contradictions", bad)
        stored = self.conn.execute(_SQL["take_stored"]).rowcount
        self.conn.execute(_SQL["analyze_pending"])
        return {**self._one("counts"), **self._one("count_new_questions"), "already_stored": stored}

    def write(self, *, file: str, now: datetime) -> None:
        """Add the questions, sittings and results that are new."""
        for name in ("add_numbered_questions", "skip_used_ids", "add_coded_questions"):
            self.conn.execute(_SQL[name])
        self.conn.execute(_SQL["add_exam_results"], {"file": file, "now": now})

    def _take(self, statement: str, bad: BadRows) -> None:
        with self.conn.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(_SQL[statement])
            bad.add(sorted((self._bad_row(row) for row in cursor), key=lambda row: row.line))

    def _bad_row(self, row: Sequence[Any]) -> BadRow:
        line, reason, *values = row
        by_role = dict(zip(_RETURNED, values, strict=True))
        by_role[Role.SCORE] = by_role[Role.CORRECT]
        by_role[Role.DATED_BY] = by_role[Role.SESSION]
        return BadRow(line, reason, tuple(_text(by_role[role]) for role in self.roles))

    def _one(self, statement: str) -> dict[str, Any]:
        with self.conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(_SQL[statement]).fetchone() or {}


def _as_csv(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(table.select(STAGED), sink, csv.WriteOptions(include_header=False))
    return sink.getvalue()


def _text(value: object) -> str | None:
    return None if value is None else str(value)
