"""Sessions that end at the same time are one transaction; what is wrong with one is told to that one alone."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from serving import on_database, publish

from thetaline.api import ThetaUpdateRequest
from thetaline.db.sessions import SessionConflictError, UnknownSessionError
from thetaline.errors import InputError
from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar
from thetaline.service.database import Database
from thetaline.service.theta_updates import ThetaUpdates

BANK = {str(101 + i): {"a": 1.0, "b": -1.0 + 0.2 * i} for i in range(11)}
ANSWERS = [{"item_id": str(101 + i), "is_correct": i < 7} for i in range(10)]


def session_of(user: str, **changed: Any) -> dict[str, Any]:
    return {"session_id": f"s-{user}", "answers": ANSWERS, **changed}


def end_together(url: str, sessions: dict[str, dict[str, Any]], calendar: SchoolCalendar = UTC_DAYS) -> dict[str, Any]:
    """One batch: by learner, what the request gets, a θ or an error."""

    async def ask(database: Database) -> list[Any]:
        updates = ThetaUpdates(database, lookback_days=30, calendar=calendar)
        requests = {user: ThetaUpdateRequest.model_validate(session) for user, session in sessions.items()}
        asked = [updates.update(user, request) for user, request in requests.items()]
        return await asyncio.gather(*asked, return_exceptions=True)

    return dict(zip(sessions, on_database(url, ask), strict=True))


@pytest.fixture
def taught(database: str) -> str:
    publish(database, BANK, abilities={"anna": 0.5})
    with psycopg.connect(database) as conn:
        conn.execute("insert into exam_results (session_id, user_id, result_json) values ('s-empty', 'empty', '{}')")
    return database


@pytest.mark.parametrize(
    ("user", "session", "error", "says"),
    [
        ("eve", session_of("ann"), SessionConflictError, "'s-ann' is stored already, with other answers or another"),
        ("eve", {"session_id": "s-none"}, UnknownSessionError, "'eve' has no session 's-none'"),
        ("empty", {"session_id": "s-empty"}, InputError, "no answers of user 'empty' are stored"),
    ],
)
def test_a_session_that_fails_fails_none_of_those_that_end_with_it(
    taught: str, user: str, session: dict[str, Any], error: type[Exception], says: str
) -> None:
    found = end_together(taught, {"ann": session_of("ann"), user: session, "zoe": session_of("zoe")})
    with pytest.raises(error, match=says):
        raise found.pop(user)
    assert {name: one.n_answers for name, one in found.items()} == {"ann": 10, "zoe": 10}
    with psycopg.connect(taught) as conn:
        stored = conn.execute("select user_id, theta from mirt_ability where user_id <> 'anna' order by 1").fetchall()
    assert stored == [(name, one.theta) for name, one in sorted(found.items())]


def test_a_learner_whose_row_is_held_fails_none_of_those_who_came_along(taught: str) -> None:
    users = [f"u{number}" for number in range(4)]
    end_together(taught, {user: session_of(user) for user in users})
    with psycopg.connect(taught) as conn:
        conn.execute("select from learner where user_id = 'u1' for update")
        found = end_together(taught, {user: session_of(user) for user in users})
        conn.rollback()
    with pytest.raises(psycopg.errors.QueryCanceled):
        raise found.pop("u1")
    assert {user: one.n_answers for user, one in found.items()} == {"u0": 10, "u2": 10, "u3": 10}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # never on the same day
def test_an_update_belongs_to_today_in_the_schools_zone(taught: str, zone: str) -> None:
    calendar = SchoolCalendar(ZoneInfo(zone))
    before = calendar.day_of(datetime.now(UTC))
    end_together(taught, {"ann": session_of("ann")}, calendar)
    with psycopg.connect(taught) as conn:
        (day,) = conn.execute("select as_of from run where job = 'update_theta'").fetchone()
    assert before <= day <= calendar.day_of(datetime.now(UTC))
