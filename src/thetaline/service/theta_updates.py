"""θ after a session: sessions that end at about the same time are stored and scored together, in one transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from thetaline.api import ThetaUpdated, ThetaUpdateRequest
from thetaline.db.queries import limit_statements
from thetaline.db.sessions import Session, store_sessions
from thetaline.jobs.abilities.estimates import ItemsRetractedError
from thetaline.jobs.abilities.session_update import Scorer, ThetaUpdate, bank_fingerprint, load_scorer, update_users
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.service.database import Database
from thetaline.service.http_errors import DB_UNAVAILABLE, TOOK_TOO_LONG, unavailable

MOST_TOGETHER = 64
MOST_WAITING = 2_000
# A batch costs 6 ms and half a millisecond a session: under load it pays to wait for company.
LINGER_SECS = 0.006
BATCH_SECS, ALONE_SECS = 5.0, 1.0  # a learner whose row somebody holds must not keep the others waiting for long


@dataclass(frozen=True, slots=True, eq=False)
class _PendingUpdate:
    """A request that waits for its batch."""

    session: Session
    answer: asyncio.Future[ThetaUpdate]


class ThetaUpdates:
    """What has come in while a batch was under way is the next batch: alone when idle, together under load."""

    def __init__(self, database: Database, lookback_days: int, calendar: SchoolCalendar) -> None:
        """Nothing is read before the first update."""
        self._database, self._lookback_days, self._calendar = database, lookback_days, calendar
        self._waiting: list[_PendingUpdate] = []
        self._worker: asyncio.Task[None] | None = None
        self._scorer: tuple[Scorer, tuple[object, ...]] | None = None

    async def update(self, user_id: str, request: ThetaUpdateRequest) -> ThetaUpdated:
        """θ with the session's answers. Raises what `api_error_of` knows: 404, 409, 422, 503."""
        if len(self._waiting) >= MOST_WAITING:
            raise unavailable("too many sessions end at once", retry_after_secs=1)
        pending = _PendingUpdate(_session(user_id, request), asyncio.get_running_loop().create_future())
        self._waiting.append(pending)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return _shown(user_id, await pending.answer)

    async def _work(self) -> None:
        together = 1
        while self._waiting:
            if together > 1:
                await asyncio.sleep(LINGER_SECS)
            batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            together = len(batch)
            await self._answer(batch)

    async def _answer(self, batch: list[_PendingUpdate]) -> None:
        secs = BATCH_SECS if len(batch) > 1 else ALONE_SECS
        try:
            found = await self._scored([pending.session for pending in batch], secs)
        except TOOK_TOO_LONG as error:
            await self._answer_failed(batch, error)
        except DB_UNAVAILABLE as error:  # for all of them: one by one, each would wait for the database in its turn
            for pending in batch:
                _settle(pending.answer, error)
        except Exception as error:  # noqa: BLE001  each request gets its own answer
            await self._answer_failed(batch, error)
        else:
            for pending, result in zip(batch, found, strict=True):
                _settle(pending.answer, result)

    async def _answer_failed(self, batch: list[_PendingUpdate], error: Exception) -> None:
        """One request that fails must not fail its neighbours: they are done again one by one."""
        if len(batch) == 1:
            _settle(batch[0].answer, error)
            return
        for pending in batch:
            await self._answer([pending])

    async def _scored(self, sessions: list[Session], secs: float) -> list[ThetaUpdate | Exception]:
        """Once more, on the items that are then current, where a calibration was taken back meanwhile."""
        try:
            return await self._database.run(self._update, sessions, secs)
        except ItemsRetractedError:
            return await self._database.run(self._update, sessions, secs)

    def _update(
        self, conn: psycopg.Connection[Any], sessions: Sequence[Session], secs: float
    ) -> list[ThetaUpdate | Exception]:
        limit_statements(conn, secs)
        now = datetime.now(UTC)
        today = self._calendar.day_of(now)
        errors = store_sessions(conn, sessions, now=now)
        fine = [session.user_id for session, error in zip(sessions, errors, strict=True) if error is None]
        found = update_users(conn, fine, self._current(conn, today), as_of=today, now=now) if fine else {}
        return [error or found[session.user_id] for session, error in zip(sessions, errors, strict=True)]

    def _current(self, conn: psycopg.Connection[Any], today: date) -> Scorer:
        """The published items of the day, read again when what they stand on has changed."""
        basis = (today, *bank_fingerprint(conn))
        if self._scorer is None or self._scorer[1] != basis:
            scorer = load_scorer(conn, today, lookback_days=self._lookback_days, calendar=self._calendar)
            self._scorer = (scorer, basis)
        return self._scorer[0]


def _settle(answer: asyncio.Future[ThetaUpdate], result: ThetaUpdate | Exception) -> None:
    if answer.done():  # its client went away
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)


def _session(user_id: str, request: ThetaUpdateRequest) -> Session:
    if request.answers is None:
        return Session(request.session_id, user_id, None)
    questions = [
        {
            "question_id": answer.item_id,
            "is_correct": None if answer.is_correct is None else bool(answer.is_correct),
            "answered_at": None if answer.answered_at is None else answer.answered_at.astimezone(UTC).isoformat(),
        }
        for answer in request.answers
    ]
    return Session(request.session_id, user_id, questions)


def _shown(user_id: str, update: ThetaUpdate) -> ThetaUpdated:
    return ThetaUpdated(
        user_id=user_id,
        theta=update.theta,
        se=update.se,
        n_answers=update.n_answers,
        changed=update.is_new,
        run_id=update.run_id,
    )
