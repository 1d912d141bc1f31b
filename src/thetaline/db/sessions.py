"""Sittings that arrive over HTTP, stored as the exam app stores its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from thetaline.db.statements import sql
from thetaline.errors import InputError

SQL = sql("db/sessions.sql")


class UnknownSessionError(InputError):
    """No such sitting of this learner."""


class SessionConflictError(InputError):
    """The sitting is stored already, with other answers or for another learner."""


def store_session(
    conn: psycopg.Connection[Any],
    user_id: str,
    session_id: str,
    *,
    answers: Sequence[Mapping[str, object]],
    now: datetime,
) -> bool:
    """Store it once; False when the same sitting is there already. Raises SessionConflictError for a different one."""
    questions = [dict(answer) for answer in answers]
    values = {"session_id": session_id, "user_id": user_id, "result": Jsonb({"questions": questions}), "now": now}
    if conn.execute(SQL["insert"], values).fetchone():
        return True
    found = conn.execute(SQL["get"], {"session_id": session_id, "questions": Jsonb(questions)}).fetchone()
    if found != (user_id, True):
        raise SessionConflictError(f"session {session_id!r} is stored already, with other answers or another learner")
    return False


def require_session(conn: psycopg.Connection[Any], user_id: str, session_id: str) -> None:
    """Raise UnknownSessionError unless this learner has such a sitting."""
    found = conn.execute(SQL["get"], {"session_id": session_id, "questions": Jsonb([])}).fetchone()
    if found is None or found[0] != user_id:
        raise UnknownSessionError(f"learner {user_id!r} has no session {session_id!r}")
