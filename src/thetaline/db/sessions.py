"""Sessions that arrive over HTTP, stored as the exam app stores its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from thetaline.db.connection import Connection
from thetaline.db.statements import sql
from thetaline.errors import InputError

SQL = sql("db/sessions.sql")


class UnknownSessionError(InputError):
    """No such session of this learner."""


class SessionConflictError(InputError):
    """The session is stored already, with other answers or for another learner."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a learner; `questions` is None where the exam app has stored them."""

    session_id: str
    user_id: str
    questions: Sequence[Mapping[str, object]] | None


def store_sessions(conn: Connection, sessions: Sequence[Session], *, now: datetime) -> list[InputError | None]:
    """Store each once; what is wrong with each, in their order: None, UnknownSessionError, SessionConflictError."""
    new = _insert(conn, [session for session in sessions if session.questions is not None], now)
    others = [session.session_id for session in sessions if session.session_id not in new or session.questions is None]
    stored = {row[0]: row[1:] for row in conn.execute(SQL["get"], {"session_ids": others})} if others else {}
    first = {session.session_id: session for session in reversed(sessions) if session.session_id in new}
    return [None if first.get(one.session_id) is one else _fault(one, stored, first) for one in sessions]


def _insert(conn: Connection, sessions: Sequence[Session], now: datetime) -> set[str]:
    if not sessions:
        return set()
    once = {session.session_id: session for session in reversed(sessions)}
    values = {
        "session_ids": list(once),
        "user_ids": [session.user_id for session in once.values()],
        "questions": [json.dumps([dict(one) for one in session.questions or ()]) for session in once.values()],
        "now": now,
    }
    return {row[0] for row in conn.execute(SQL["insert"], values)}


def _fault(session: Session, stored: Mapping[str, tuple[str, Any]], first: Mapping[str, Session]) -> InputError | None:
    """Of a session that was not stored now: is it there already, and the same?"""
    there = first.get(session.session_id)
    owner, questions = (there.user_id, there.questions) if there else stored.get(session.session_id, (None, None))
    is_theirs = owner == session.user_id
    if session.questions is None:
        unknown = f"learner {session.user_id!r} has no session {session.session_id!r}"
        return None if is_theirs else UnknownSessionError(unknown)
    if is_theirs and list(map(dict, questions or ())) == list(map(dict, session.questions)):
        return None
    return SessionConflictError(
        f"session {session.session_id!r} is stored already, with other answers or another learner"
    )
