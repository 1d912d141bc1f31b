"""HTTP/1.1 over uvicorn, with the bounds that it leaves out: headers that never end, clients that never read, too many
connections."""

import asyncio
import socket
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 64 * 1024
# A client that twice in a row reads less than this in that time is cut off: 3 kB a second, a slow telephone, will do.
# Twice, because what it reads becomes visible in bursts of a good part of the send buffer.
STALLED_SECS, LEAST_READ_BYTES, QUIET_SPANS = 30.0, 64 * 1024, 2
SEND_BUFFER_BYTES = 128 * 1024  # the kernel's own megabytes would hide from us whether the client reads
RETRY_SECS = 1
_REFUSALS = {
    400: ("Bad Request", "the request is no HTTP/1.1"),
    408: ("Request Timeout", "the headers took too long to arrive"),
    431: ("Request Header Fields Too Large", f"the headers are longer than {MAX_HEADER_BYTES} bytes"),
    503: ("Service Unavailable", "too many connections"),
}


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    header_timeout_secs: ClassVar[float] = 10.0
    max_connections: ClassVar[int] = 4096
    stalled_secs: ClassVar[float] = STALLED_SECS

    def __init__(self, *args: Any, **options: Any) -> None:
        """As uvicorn makes it."""
        super().__init__(*args, **options)
        self._header_bytes = 0
        self._in_headers = True
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse one too many; the first headers have to come in time."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if len(self.connections) > self.max_connections:
            self._refuse(503)
        else:
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clocks."""
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the headers are complete."""
        if self.transport.is_closing():
            return
        if self._in_headers:
            self._header_bytes += len(data)
            if self._deadline is None:  # the first bytes on a kept connection
                self._expect_headers()
        super().data_received(data)
        if self._in_headers and self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            self._refuse(431)

    def on_headers_complete(self) -> None:
        """They came in time."""
        self._in_headers = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What follows is the next request's headers."""
        super().on_message_complete()
        self._in_headers, self._header_bytes = True, 0

    def send_400_response(self, _message: str) -> None:
        """What cannot be parsed gets an answer in the shape of all others."""
        self._refuse(400)

    def pause_writing(self) -> None:
        """The client does not read as fast as we write: wait for it as long as it reads at all."""
        super().pause_writing()
        self._await_reader(0)

    def resume_writing(self) -> None:
        """It reads again."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def _await_reader(self, quiet: int) -> None:
        unread = self.transport.get_write_buffer_size()
        self._stalled = self.loop.call_later(self.stalled_secs, self._look_at_reader, unread, quiet)

    def _look_at_reader(self, unread_before: int, quiet: int) -> None:
        has_read = unread_before - self.transport.get_write_buffer_size() >= LEAST_READ_BYTES
        quiet = 0 if has_read else quiet + 1
        if quiet == QUIET_SPANS:
            self.transport.abort()
        else:
            self._await_reader(quiet)

    def _expect_headers(self) -> None:
        self._deadline = self.loop.call_later(self.header_timeout_secs, self._refuse, 408)

    def _refuse(self, status: int) -> None:
        reason, error = _REFUSALS[status]
        body = f'{{"error":"{error}","detail":null,"request_id":null}}'
        head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        later = f"retry-after: {RETRY_SECS}\r\n" if status == 503 else ""
        self.transport.write(f"{head}{later}connection: close\r\n\r\n{body}".encode())
        self.transport.close()


def bounded_protocol(
    *, header_timeout_secs: float, max_connections: int, stalled_secs: float = STALLED_SECS
) -> type[BoundedProtocol]:
    """The class that uvicorn makes one of for each connection."""
    bounds = {
        "header_timeout_secs": header_timeout_secs,
        "max_connections": max_connections,
        "stalled_secs": stalled_secs,
    }
    return type("Protocol", (BoundedProtocol,), bounds)
