"""The service's connections: a bounded pool, each call in a thread and a transaction of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from thetaline.db.connection import KEEPALIVE, explained
from thetaline.db.queries import limit_statements

T = TypeVar("T")
Connection = psycopg.Connection[Any]
CONNECTIONS = 8
WAIT_SECS = 5.0  # for a free thread, and then for a connection
STATEMENT_SECS = 30.0  # a lock that is held longer is somebody's mistake
ANSWER_SECS = 120.0  # of one call; a server that is frozen cancels no statement
RECONNECT_SECS = 2.0  # after which the next call tries at once; the pool by itself would pause for up to minutes
# Keepalives watch a connection on which nothing is under way; this one, what was sent to a host that has vanished.
UNACKNOWLEDGED_MS = 30_000
# A plan made once for any list of learners reads the whole table: 9 ms where the plan for this list takes 0.1 ms.
OPTIONS = "-c timezone=UTC -c datestyle=ISO -c plan_cache_mode=force_custom_plan"


class Database:
    """`await database.run(function, ...)` calls `function(connection, ...)` and commits; a failure rolls back."""

    def __init__(
        self, url: str, *, connections: int = CONNECTIONS, url_now: Callable[[], str | None] = lambda: None
    ) -> None:
        """Nothing is opened before `open`; `url_now` is asked before each connection and may know a newer URL.

        Raises DatabaseError for a URL that is none.
        """
        self.url = url
        first = _conninfo(url)
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="database")
        self._pool = ConnectionPool(
            lambda: _conninfo(newer) if (newer := url_now()) else first,
            open=False,
            min_size=1,
            max_size=connections,
            timeout=WAIT_SECS,
            reconnect_timeout=RECONNECT_SECS,
            max_waiting=512,
            check=_check,
        )

    def open(self) -> None:
        """Begin to connect; a database that is away is tried again in the background."""
        self._pool.open()

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, function: Callable[..., T], *args: object, **options: object) -> T:
        """The function's result. Raises what it raises, an OperationalError when no connection came free."""
        return await self._answer(lambda conn: function(conn, *args, **options), ANSWER_SECS)

    async def run_within(self, secs: float, function: Callable[[Connection], T]) -> T:
        """`run` for what somebody waits for: each statement ends after `secs`, and so does the wait for all of them."""

        def hurried(conn: Connection) -> T:
            limit_statements(conn, secs)
            return function(conn)

        return await self._answer(hurried, secs)

    async def _answer(self, function: Callable[[Connection], T], secs: float) -> T:
        work = self._threads.submit(self._call, function)
        unbegun = asyncio.get_running_loop().call_later(WAIT_SECS, work.cancel)  # in vain once a thread has begun
        try:
            async with asyncio.timeout(secs):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            raise psycopg.OperationalError(f"the database gave no answer in {secs:g} s") from None
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise PoolTimeout(f"no thread came free in {WAIT_SECS:g} s") from None
        finally:
            unbegun.cancel()

    def _call(self, function: Callable[[Connection], T]) -> T:
        with self._pool.connection() as conn:
            return function(conn)


def _is_cancelled() -> bool:
    """Whether the task itself is, as opposed to what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _conninfo(url: str) -> str:
    """The URL with our keepalives and time-outs, where it does not choose its own, and with our session."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise explained(error, url) from None
    chosen = {**KEEPALIVE, "tcp_user_timeout": UNACKNOWLEDGED_MS, **given, "application_name": "thetaline serve"}
    limit = f"-c statement_timeout={STATEMENT_SECS * 1000:.0f}"
    chosen["options"] = f"{limit} {given.get('options', '')} {OPTIONS}"
    return make_conninfo("", **chosen)


def _check(conn: Connection) -> None:
    """Drop a connection that the server closed, without a round trip for one that lives."""
    if conn.closed or conn.broken:
        raise psycopg.OperationalError("the connection is closed")
