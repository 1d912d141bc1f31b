"""Sittings that arrive over HTTP, stored as the exam app stores its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from thetaline.db.statements import sql
from thetaline.errors import InputError

SQL = sql("db/sessions.sql")
Connection = psycopg.Connection[Any]


class UnknownSessionError(InputError):
    """No such sitting of this learner."""


class SessionConflictError(InputError):
    """The sitting is stored already, with other answers or for another learner."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A session of a learner; `questions` is None where the exam app has stored them."""

    session_id: str
    user_id: str
    questions: Sequence[Mapping[str, object]] | None


def store_sittings(conn: Connection, sittings: Sequence[Sitting], *, now: datetime) -> list[InputError | None]:
    """Store each once; what is wrong with each, in their order: None, UnknownSessionError, SessionConflictError."""
    new = _insert(conn, [sitting for sitting in sittings if sitting.questions is not None], now)
    others = [sitting.session_id for sitting in sittings if sitting.session_id not in new or sitting.questions is None]
    stored = {row[0]: row[1:] for row in conn.execute(SQL["get"], {"session_ids": others})} if others else {}
    first = {sitting.session_id: sitting for sitting in reversed(sittings) if sitting.session_id in new}
    return [None if first.get(one.session_id) is one else _fault(one, stored, first) for one in sittings]


def _insert(conn: Connection, sittings: Sequence[Sitting], now: datetime) -> set[str]:
    if not sittings:
        return set()
    once = {sitting.session_id: sitting for sitting in reversed(sittings)}
    values = {
        "session_ids": list(once),
        "user_ids": [sitting.user_id for sitting in once.values()],
        "questions": [json.dumps([dict(one) for one in sitting.questions or ()]) for sitting in once.values()],
        "now": now,
    }
    return {row[0] for row in conn.execute(SQL["insert"], values)}


def _fault(sitting: Sitting, stored: Mapping[str, tuple[str, Any]], first: Mapping[str, Sitting]) -> InputError | None:
    """Of a sitting that was not stored now: is it there already, and the same?"""
    there = first.get(sitting.session_id)
    owner, questions = (there.user_id, there.questions) if there else stored.get(sitting.session_id, (None, None))
    if sitting.questions is None:
        known = owner == sitting.user_id
        return (
            None if known else UnknownSessionError(f"learner {sitting.user_id!r} has no session {sitting.session_id!r}")
        )
    same = owner == sitting.user_id and [dict(one) for one in questions or ()] == [
        dict(one) for one in sitting.questions
    ]
    said = f"session {sitting.session_id!r} is stored already, with other answers or another learner"
    return None if same else SessionConflictError(said)
