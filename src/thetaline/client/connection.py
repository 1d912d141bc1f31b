"""What both clients stand on: a connection pool that sends calls, tries again, and reads answers."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Self, TypeVar

import httpx

from thetaline.client import calls
from thetaline.client.calls import Call
from thetaline.client.polling import Clock
from thetaline.client.retries import Retries
from thetaline.errors import InputError

T = TypeVar("T")
_RETRIES = Retries()
_NOT_IN_A_TOKEN = re.compile(r"[^\x21-\x7e]")


class Connection:
    """A connection pool to one service: sends calls, tries again, reads answers."""

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout_secs: float = 300.0,
        retries: Retries = _RETRIES,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeout_secs` is for one answer, and for the whole of a large fit; white space around `token` is left out.

        `transport` replaces the network, `clock` and `sleep` the time that retries and looks at a large fit wait for.
        Raises InputError for a token that no header can carry.
        """
        self._timeout_secs, self._retries = timeout_secs, retries
        self._clock, self._sleep = clock, sleep
        self._http = httpx.Client(
            base_url=base_url,
            headers=_authorization(token),
            timeout=httpx.Timeout(timeout_secs, connect=min(10.0, timeout_secs)),
            transport=transport,
        )

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _call(self, call: Call[T]) -> T:
        return calls.read(call, self._answer(call))

    def _answer(self, call: Call[T]) -> httpx.Response:
        attempt = 1
        while True:
            outcome = self._attempt(call)
            wait = self._retries.wait_after(attempt, outcome)
            if wait is None:
                break
            self._sleep(wait)
            attempt += 1
        if isinstance(outcome, httpx.TransportError):
            raise calls.unreachable(call, outcome, self._http.base_url) from None
        return outcome

    def _attempt(self, call: Call[T]) -> httpx.Response | httpx.TransportError:
        try:
            return self._http.send(call.request(self._http))
        except httpx.TransportError as error:
            return error


class AsyncConnection:
    """A connection pool to one service: sends calls, tries again, reads answers, for coroutines."""

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout_secs: float = 300.0,
        retries: Retries = _RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`timeout_secs` is for one answer, and for the whole of a large fit; white space around `token` is left out.

        `transport` replaces the network, `clock` and `sleep` the time that retries and looks at a large fit wait for.
        Raises InputError for a token that no header can carry.
        """
        self._timeout_secs, self._retries = timeout_secs, retries
        self._clock, self._sleep = clock, sleep
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers=_authorization(token),
            timeout=httpx.Timeout(timeout_secs, connect=min(10.0, timeout_secs)),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, call: Call[T]) -> T:
        return calls.read(call, await self._answer(call))

    async def _answer(self, call: Call[T]) -> httpx.Response:
        attempt = 1
        while True:
            outcome = await self._attempt(call)
            wait = self._retries.wait_after(attempt, outcome)
            if wait is None:
                break
            await self._sleep(wait)
            attempt += 1
        if isinstance(outcome, httpx.TransportError):
            raise calls.unreachable(call, outcome, self._http.base_url) from None
        return outcome

    async def _attempt(self, call: Call[T]) -> httpx.Response | httpx.TransportError:
        try:
            return await self._http.send(call.request(self._http))
        except httpx.TransportError as error:
            return error


def _authorization(token: str | None) -> dict[str, str]:
    """The header; what httpx says of a token that ends in a newline, as one from a file may, has the secret in it."""
    if token is None:
        return {}
    token = token.strip()
    if not token:
        raise InputError("the token is empty; give the one that `thetaline tokens create` printed, or None")
    if strange := _NOT_IN_A_TOKEN.search(token):
        raise InputError(
            f"character {strange.start() + 1} of the token (U+{ord(strange.group()):04X}) cannot stand in a header; "
            "give the token as `thetaline tokens create` printed it"
        )
    return {"authorization": f"Bearer {token}"}
