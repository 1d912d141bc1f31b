"""When the tokens in force are read again, and for whom."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from serving import on_database, wait_until, waiting_for_a_lock

from thetaline.db.tokens import create_token
from thetaline.errors import DatabaseError
from thetaline.service import tokens
from thetaline.service.database import Database
from thetaline.service.http_errors import DB_UNAVAILABLE
from thetaline.service.tokens import Scope, TokenCache, new_token

GATE = 7  # an advisory lock that every look waits for


def test_a_look_that_began_before_a_token_was_made_does_not_answer_for_it(database: str) -> None:
    (_, old), (text, new) = (new_token("x", {Scope.SCORE}, user_id=None, expires_at=None) for _ in range(2))
    gate = f"select pg_advisory_xact_lock_shared({GATE})"
    with psycopg.connect(database, autocommit=True) as conn:
        create_token(conn, old)
        # What reads this view has its snapshot before it waits at the gate.
        conn.execute("create schema gated")
        conn.execute(f"create view gated.api_token as select token.* from public.api_token as token, ({gate}) as gate")
        conn.execute("select pg_advisory_lock(%s)", (GATE,))

        async def looked_for(opened: Database) -> TokenCache:
            book = TokenCache(None)
            early = asyncio.create_task(book.refresh(opened))
            await asyncio.to_thread(wait_until, lambda: waiting_for_a_lock(database) > 0)
            create_token(conn, new)
            late = asyncio.create_task(book.look_for(text, opened))
            await asyncio.sleep(0)
            conn.execute("select pg_advisory_unlock(%s)", (GATE,))
            await asyncio.gather(early, late)
            return book

        found = on_database(f"{database}&options=-c%20search_path%3Dgated,public", looked_for)
    assert found.principal(text) is not None


def test_an_expired_token_is_refused_although_it_was_in_force_when_read(database: str) -> None:
    now = datetime.now(UTC)
    text, row = new_token("x", {Scope.SCORE}, user_id=None, expires_at=now + timedelta(hours=1))
    with psycopg.connect(database) as conn:
        create_token(conn, row)
    moments = iter([now, now + timedelta(minutes=59), now + timedelta(hours=1)])
    book = TokenCache(None, now=lambda: next(moments))
    on_database(database, book.refresh)
    assert [book.principal(text) is not None for _ in range(3)] == [True, True, False]


def test_those_who_wait_for_a_look_that_fails_share_its_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LOOK_SECS", 0.5)

    async def looked_for(opened: Database) -> list[Any]:
        book = TokenCache(None)
        looks = (book.look_for(f"tl_{number:012x}_x", opened) for number in range(5))
        return await asyncio.gather(*looks, return_exceptions=True)

    errors = on_database("postgresql://nobody@127.0.0.1:9/none", looked_for)
    assert [isinstance(error, DatabaseError) for error in errors] == [False, True, True, True, True]
    assert all(isinstance(error, DB_UNAVAILABLE) for error in errors)  # each a 503
