"""θ after a session: the session's answers are stored, then the learner's window is scored again."""

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from thetaline.api import ThetaUpdated, ThetaUpdateRequest
from thetaline.db import sessions
from thetaline.jobs.update_theta import Scorer, ThetaUpdate, load_scorer, update_user
from thetaline.service.database import Database

SCORER_SECS = 10.0  # how long a newly published calibration may stay unseen


class ThetaUpdates:
    """Keeps what does not change between updates: the published items of the day."""

    def __init__(self, database: Database, lookback_days: int) -> None:
        """Nothing is read before the first update."""
        self._database, self._lookback_days = database, lookback_days
        self._scorer: Scorer | None = None
        self._of: tuple[date, float] | None = None

    async def update(self, user_id: str, request: ThetaUpdateRequest) -> ThetaUpdated:
        """θ with the session's answers. Raises 404, 409, 422, 503."""
        now = datetime.now(UTC)
        update = await self._database.run(self._update, user_id, request, now)
        return _shown(user_id, update)

    def _update(
        self, conn: psycopg.Connection[Any], user_id: str, request: ThetaUpdateRequest, now: datetime
    ) -> ThetaUpdate:
        if request.answers is not None:
            sessions.store_session(conn, user_id, request.session_id, answers=_rows(request), now=now)
        else:
            sessions.require_session(conn, user_id, request.session_id)
        return update_user(conn, user_id, self._scorer_of(conn, now.date()), as_of=now.date(), now=now)

    def _scorer_of(self, conn: psycopg.Connection[Any], today: date) -> Scorer:
        fresh = self._of is not None and self._of[0] == today and time.monotonic() - self._of[1] < SCORER_SECS
        if self._scorer is None or not fresh:
            self._scorer = load_scorer(conn, today, lookback_days=self._lookback_days)
            self._of = (today, time.monotonic())
        return self._scorer


def _rows(request: ThetaUpdateRequest) -> list[Mapping[str, object]]:
    return [
        {
            "question_id": answer.item_id,
            "is_correct": None if answer.is_correct is None else bool(answer.is_correct),
            "answered_at": None if answer.answered_at is None else answer.answered_at.astimezone(UTC).isoformat(),
        }
        for answer in request.answers or []
    ]


def _shown(user_id: str, update: ThetaUpdate) -> ThetaUpdated:
    return ThetaUpdated(
        user_id=user_id,
        theta=update.theta,
        se=update.se,
        n_answers=update.n_answers,
        changed=update.is_new,
        run_id=update.run_id,
    )
