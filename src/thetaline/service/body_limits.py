"""The layer that bounds bodies: size (as sent and decompressed), time to arrive, sum of all in flight."""

import asyncio
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thetaline.service.http_errors import ApiError, unavailable

MB = 1_000_000
SMALL_BYTES = MB
MEDIUM_BYTES = 32 * MB
# Ends of the paths whose bodies a process works off, as it does those below /irt/; a school's weeks are some megabytes.
MEDIUM_PATHS = (
    "/glmm/fit_progress", "/glmm/predict", "/growth/fit", "/growth/predict", "/prophet/fit", "/forecast/summary",
    "/survival/fit", "/cluster/fit",
)  # fmt: skip
IN_FLIGHT_BODIES = 4  # times the largest body: what all bodies together may hold
SLOWEST_BYTES_PER_SEC = MB  # each further megabyte may take a second more than the time-out
DRAIN_SECS = 5.0
TOO_LATE = 408
GZIP_WINDOW = 31  # zlib's code for a gzip header
INFLATE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes of a body by path, seconds for it to arrive."""

    largest_bytes: int
    timeout_secs: float

    def bytes_for(self, path: str) -> int:
        """Calibrations may be large, other fits, banks and answers to score less so, everything else is small."""
        if path.endswith("/irt/calibrate"):
            return self.largest_bytes
        is_medium = "/irt/" in path or path.endswith(MEDIUM_PATHS)
        return min(self.largest_bytes, MEDIUM_BYTES if is_medium else SMALL_BYTES)


class BodyLimitsMiddleware:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        """`app` receives bodies that are plain and bounded."""
        self._app, self._limits = app, limits
        self._in_flight = _BytesInFlight(IN_FLIGHT_BODIES * limits.largest_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _IncomingBody(receive, scope, self._limits, self._in_flight)
        try:
            body.check_headers()
            await self._app(scope, body.receive, body.sender(send))
        except ApiError as error:
            body.release()
            if error.status == TOO_LATE or not await body.drained():
                error.headers["connection"] = "close"
            raise
        finally:
            body.release()


class _BytesInFlight:
    """Bytes that all bodies in flight may hold together."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise unavailable("too many large bodies at once", retry_after_secs=2)

    def give(self, size: int) -> None:
        self._left += size


@dataclass
class _IncomingBody:
    """The body of one request as it arrives."""

    raw: Receive
    scope: Scope
    limits: BodyLimits
    budget: _BytesInFlight
    started: float = field(default_factory=time.monotonic)
    received: int = 0
    plain: int = 0
    complete: bool = False

    def __post_init__(self) -> None:
        headers = dict(self.scope["headers"])
        self.most = self.limits.bytes_for(self.scope["path"])
        self.length = headers.get(b"content-length", b"")
        self.encoding = headers.get(b"content-encoding", b"identity").strip().lower()
        self.inflate = _Gzip() if self.encoding == b"gzip" else None
        kept = [pair for pair in self.scope["headers"] if pair[0] not in (b"content-encoding", b"content-length")]
        if self.inflate:
            self.scope["headers"] = kept

    def check_headers(self) -> None:
        """Refuse before a byte of the body is read."""
        if self.encoding not in (b"identity", b"gzip"):
            raise ApiError(415, "the body's encoding is not known", "send it plain or with Content-Encoding: gzip")
        if self.length.isdigit() and int(self.length) > self.most:
            raise self._too_large()

    async def receive(self) -> Message:
        """The next piece, plain. Raises 400, 408, 413, 503."""
        if self.complete:
            return await self.raw()  # a disconnect, later
        message = await self._within_time()
        if message["type"] != "http.request":
            return message
        chunk = message.get("body", b"")
        self.complete = not message.get("more_body", False)
        self.received += len(chunk)
        return {**message, "body": self._bounded(self._inflated(chunk))}

    def sender(self, send: Send) -> Send:
        """Closes the connection after an answer that did not wait for the whole body."""

        async def with_close(message: Message) -> None:
            if message["type"] == "http.response.start" and not self.complete and self._has_body():
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        return with_close

    async def drained(self) -> bool:
        """Take what is still being sent, up to a bound: a client that writes on would see a reset, not our answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECS):
                while not self.complete and self.received < 2 * self.limits.largest_bytes and self._has_body():
                    message = await self.raw()
                    self.received += len(message.get("body", b""))
                    self.complete = not message.get("more_body", False)
        return self.complete or not self._has_body()

    def release(self) -> None:
        """Give back what the body held of the budget."""
        self.budget.give(self.plain)
        self.plain = 0

    def _has_body(self) -> bool:
        return self.length not in (b"", b"0") or any(name == b"transfer-encoding" for name, _ in self.scope["headers"])

    async def _within_time(self) -> Message:
        ends = self.started + self.limits.timeout_secs + self.received / SLOWEST_BYTES_PER_SEC
        try:
            async with asyncio.timeout(max(0.0, ends - time.monotonic())):
                return await self.raw()
        except TimeoutError:
            raise ApiError(TOO_LATE, f"the body took more than {self.limits.timeout_secs:g} s to arrive") from None

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        if self.inflate is None:
            yield chunk
            return
        yield from self.inflate.pieces(chunk)
        if self.complete:
            self.inflate.check_end()

    def _bounded(self, pieces: Iterator[bytes]) -> bytes:
        kept: list[bytes] = []
        for piece in pieces:
            self.plain += len(piece)
            self.budget.take(len(piece))
            if self.plain > self.most:
                raise self._too_large()
            kept.append(piece)
        return b"".join(kept)

    def _too_large(self) -> ApiError:
        return ApiError(
            413, f"the body is larger than {self.most} bytes", "that is the limit of this path, decompressed"
        )


class _Gzip:
    """A gzip stream, inflated in bounded pieces: a bomb is met piece by piece and stopped at the limit."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(GZIP_WINDOW)

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            yield self._step(lambda data: self._stream.decompress(data, INFLATE_BYTES), chunk)
            if self._stream.unused_data:
                raise ApiError(400, "the body has bytes after the end of its gzip stream")
            chunk = self._stream.unconsumed_tail

    def check_end(self) -> None:
        if not self._stream.eof:
            raise ApiError(400, "the gzip body ends early")

    @staticmethod
    def _step(inflate: Callable[[bytes], bytes], data: bytes) -> bytes:
        try:
            return inflate(data)
        except zlib.error as error:
            raise ApiError(400, "the body is not gzip", str(error)[:100]) from None
