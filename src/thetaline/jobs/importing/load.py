"""Loads validated answers into the database: staged by COPY, compared with what is stored, inserted."""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.rows import dict_row, tuple_row
from pyarrow import csv

from thetaline import db
from thetaline.errors import InputError
from thetaline.jobs.importing.columns import Role
from thetaline.jobs.importing.files import Reason, RejectedRow
from thetaline.jobs.importing.rejected_rows import RejectedRows

STAGED = (
    "line", "user_id", "item_code", "topics", "session_key",
    "answer_text", "correct", "response", "answered_at", "response_time_ms", "hint_used",
)  # fmt: skip
# The roles of what the statements return after the line, the kind of reason and its text.
_RETURNED = (Role.USER, Role.ITEM, Role.TOPIC, Role.SESSION, Role.CORRECT, Role.TIME, Role.RESPONSE_TIME, Role.HINT)

_PLACES = {
    Role.ITEM: "items are only numbers in their quiz, and {known} of them, first {first}, are known from {other}; "
    "name this quiz by --item-prefix NAME, or say --item-prefix '' where it is the same quiz",
    Role.USER: "learners are only numbers of rows, and {known} of them, first {first}, are known from {other}; say "
    "which column tells the learner by --user",
}

SQL = db.sql("jobs/importing/load.sql")


@dataclass(frozen=True, slots=True)
class AnswerLoader:
    """The statements of one import, inside the transaction of `conn`."""

    conn: psycopg.Connection[Any]
    roles: Sequence[Role | None]  # in the order of a rejected row's values; None for a value that is not kept

    def stage(self, tables: Iterable[pa.Table]) -> None:
        """COPY the answers into a temporary table; other imports wait until this transaction ends."""
        self.conn.execute(SQL["one_import_at_a_time"])
        self.conn.execute(SQL["create_staged"])
        with self.conn.cursor() as cursor, cursor.copy(SQL["copy_staged"]) as copy:
            for table in tables:
                copy.write(_as_csv(table))
        self.conn.execute(SQL["analyze_staged"])

    def refuse_places_of_others(self, roles: Collection[Role], *, file: str) -> None:
        """Raise InputError where ids that are only places in this file are known from elsewhere."""
        for role in sorted(roles):
            if found := self.known(role, file=file):
                raise InputError(f"{file}: {_PLACES[role].format(**found)}")

    def known(self, role: Role, *, file: str) -> dict[str, Any]:
        """How many ids of that role are known from elsewhere, the first, and the other file; empty where none is."""
        found = self._one(f"known_{role}s", {"file": file})
        return found if found["known"] else {}

    def compare(self, rejected: RejectedRows) -> dict[str, Any]:
        """Find what is new, reject repeated and contradictory rows; returns the counts of what would be written."""
        self.conn.execute(SQL["create_repeated"])
        merged = self._one("merge_topics")
        self._reject("take_repeated", rejected)
        self.conn.execute(SQL["create_staged_item"])
        self.conn.execute(SQL["create_pending"])
        self._reject("take_contradictions", rejected)
        stored = self.conn.execute(SQL["take_stored"]).rowcount
        self.conn.execute(SQL["analyze_pending"])
        return {**self._one("counts"), **self._one("count_new_questions"), **merged, "already_stored": stored}

    def write(self, *, file: str, now: datetime) -> None:
        """Add the new questions, sessions and results."""
        for name in ("add_numbered_questions", "skip_used_ids", "add_coded_questions"):
            self.conn.execute(SQL[name], {"file": file} if name.startswith("add") else None)
        self.conn.execute(SQL["add_exam_results"], {"file": file, "now": now})

    def _reject(self, statement: str, rejected: RejectedRows) -> None:
        with self.conn.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(SQL[statement])
            rejected.add(sorted((self._rejected_row(row) for row in cursor), key=lambda row: row.line))

    def _rejected_row(self, row: Sequence[Any]) -> RejectedRow:
        line, kind, text, *values = row
        by_role: dict[Role | None, Any] = dict(zip(_RETURNED, values, strict=True))
        by_role[Role.SCORE] = by_role[Role.RESPONSE] = by_role[Role.CORRECT]
        by_role[Role.DATED_BY] = by_role[Role.SESSION]
        return RejectedRow(line, (Reason(kind, text),), tuple(_text(by_role.get(role)) for role in self.roles))

    def _one(self, statement: str, values: Mapping[str, object] | None = None) -> dict[str, Any]:
        with self.conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(SQL[statement], values).fetchone() or {}


def _as_csv(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(table.select(STAGED), sink, csv.WriteOptions(include_header=False))
    return sink.getvalue()


def _text(value: object) -> str | None:
    return None if value is None else str(value)
