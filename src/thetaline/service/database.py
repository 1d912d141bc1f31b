"""The service's connections: a bounded pool, each call in a thread and a transaction of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import psycopg
from psycopg_pool import ConnectionPool

P = ParamSpec("P")
T = TypeVar("T")
CONNECTIONS = 8
WAIT_SECS = 5.0
# A plan made once for any list of learners reads the whole table: 9 ms where the plan for this list takes 0.1 ms.
OPTIONS = "-c timezone=UTC -c datestyle=ISO -c plan_cache_mode=force_custom_plan"


class Database:
    """`await database.run(function, ...)` calls `function(connection, ...)` and commits; a failure rolls back."""

    def __init__(self, url: str) -> None:
        """Nothing is opened before `open`."""
        self.url = url
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="database")
        self._pool = ConnectionPool(
            url,
            open=False,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=WAIT_SECS,
            max_waiting=512,
            kwargs={"application_name": "thetaline serve", "options": OPTIONS},
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
        """The function's result. Raises what it raises, PoolTimeout when no connection came free."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self._call(function, *args, **options))

    def _call(self, function: Callable[..., T], *args: object, **options: object) -> T:
        with self._pool.connection() as conn:
            return function(conn, *args, **options)


def _check(conn: psycopg.Connection[Any]) -> None:
    """Drop a connection that the server closed, without a round trip for one that lives."""
    if conn.closed or conn.broken:
        raise psycopg.OperationalError("the connection is closed")
