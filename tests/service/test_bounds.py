"""Slow, silent, endless and far too many clients are refused in time; the others are served meanwhile."""

import asyncio
import json
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import httpx
import pytest
import uvicorn
from serving import INTERNAL, ITEM, Running, running, wait_until

from thetaline.service.body_limits import _BytesInFlight
from thetaline.service.http_errors import ApiError
from thetaline.service.uvicorn_protocol import bounded_protocol

HEAD = f"POST /irt/score HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {INTERNAL}\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
def hasty(module_database: str) -> Iterator[Running]:
    """A service without patience."""
    with running(
        module_database,
        service_header_timeout_secs=0.5,
        service_body_timeout_secs=0.5,
        service_max_connections=50,
        service_max_body_mb=2,
    ) as found:
        yield found


def _said(service: Running, sent: bytes, *, secs: float = 10.0) -> bytes:
    """What a connection is answered until the service closes it."""
    with socket.create_connection(service.address, timeout=secs) as raw:
        raw.sendall(sent)
        answer = b""
        while chunk := raw.recv(65_536):
            answer += chunk
        return answer


def test_headers_that_do_not_end_are_a_408(hasty: Running) -> None:
    started = time.monotonic()
    answer = _said(hasty, b"GET /healthz HTTP/1.1\r\nhost: t\r\n")
    assert answer.startswith(b"HTTP/1.1 408")
    assert json.loads(answer.split(b"\r\n\r\n")[1])["error"] == "the headers took too long to arrive"
    assert time.monotonic() - started < 5


def test_a_connection_that_says_nothing_is_closed(hasty: Running) -> None:
    assert _said(hasty, b"").startswith(b"HTTP/1.1 408")


def test_headers_that_drip_are_a_408_however_many_they_are(hasty: Running) -> None:
    with socket.create_connection(hasty.address, timeout=5) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\n")
        ends = time.monotonic() + 5
        raw.setblocking(False)
        while time.monotonic() < ends:
            try:
                answer = raw.recv(100)
                break
            except BlockingIOError:
                raw.sendall(b"x-more: 1\r\n")
                time.sleep(0.1)
    assert answer.startswith(b"HTTP/1.1 408")


def test_a_second_request_on_a_kept_connection_has_its_own_time(hasty: Running) -> None:
    with socket.create_connection(hasty.address, timeout=5) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n")
        answer = b""
        while not answer.endswith(b"}"):  # head and body may come one after the other
            answer += raw.recv(10_000)
        assert answer.startswith(b"HTTP/1.1 200")
        raw.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert raw.recv(10_000).startswith(b"HTTP/1.1 408")


def test_endless_headers_are_a_431(hasty: Running) -> None:
    answer = _said(hasty, b"GET /healthz HTTP/1.1\r\nx: " + b"y" * 70_000)
    assert answer.startswith(b"HTTP/1.1 431")


def test_a_body_that_drips_is_a_408(hasty: Running) -> None:
    answer = _said(hasty, f"{HEAD}content-length: 1000\r\n\r\n{{".encode())
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in answer


def test_what_is_no_http_is_a_400(hasty: Running) -> None:
    answer = _said(hasty, b"\x16\x03\x01\x02\x00\x01\x00 hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert json.loads(answer.split(b"\r\n\r\n")[1]) == {
        "error": "the request is no HTTP/1.1",
        "detail": None,
        "request_id": None,
    }


def test_connections_beyond_the_limit_are_refused_and_the_others_served(hasty: Running) -> None:
    held = [socket.create_connection(hasty.address, timeout=5) for _ in range(60)]
    try:
        answers = [raw.recv(1000) for raw in held[50:]]
        assert all(answer.startswith(b"HTTP/1.1 503") for answer in answers)
        assert all(b"\r\nretry-after: 1\r\n" in answer for answer in answers)
    finally:
        for raw in held:
            raw.close()
    with hasty.client() as client:
        wait_until(lambda: client.get("/healthz").status_code == 200)


def test_bodies_in_flight_are_bounded_together(hasty: Running) -> None:
    async def ask() -> list[int]:
        async with httpx.AsyncClient(base_url=hasty.url, headers={"authorization": f"Bearer {INTERNAL}"}) as client:
            return [one.status_code for one in await asyncio.gather(*(_slow(client) for _ in range(8)))]

    async def _slow(client: httpx.AsyncClient) -> httpx.Response:
        async def body():  # type: ignore[no-untyped-def]
            for _ in range(19):
                yield b"x" * 100_000
            await asyncio.sleep(0.3)

        return await client.post("/irt/calibrate", content=body(), headers={"content-type": "application/json"})

    statuses = asyncio.run(ask())  # 8 × 1.9 MB where 4 × 2 MB are allowed
    assert {503} < set(statuses) <= {400, 408, 503}  # 408: on a busy machine even these take long to arrive
    with hasty.client() as client:  # and what they held is given back
        assert client.post("/irt/score", json={"item_params": [ITEM], "responses": [[1]]}).status_code == 200
    assert hasty.services.dispatcher.waiting == 0


def test_bodies_may_fill_the_budget_to_the_last_byte_and_give_it_back() -> None:
    budget = _BytesInFlight(10)
    budget.take(4)
    budget.take(6)
    with pytest.raises(ApiError, match="too many large bodies at once"):
        budget.take(1)
    budget.give(1)
    budget.give(6)
    budget.take(6)


LONG_ANSWER = 4_000_000  # two seconds for the slow reader, twice what a client that reads nothing is given


async def _long_answer(_scope: Any, _receive: Any, send: Any) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(LONG_ANSWER).encode())]}
    )
    await send({"type": "http.response.body", "body": bytes(LONG_ANSWER)})


def _read_with(pauses: Iterator[float]) -> int:
    """How many bytes of the long answer arrive at a client that pauses before each 200 kB; the patience is 0.5 s."""
    protocol = bounded_protocol(header_timeout_secs=5, max_connections=5, stalled_secs=0.5)
    config = uvicorn.Config(_long_answer, port=0, http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        raw.settimeout(5)
        raw.connect(server.servers[0].sockets[0].getsockname())
        raw.sendall(b"GET / HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n")
        received, piece = 0, 1
        while piece:
            time.sleep(next(pauses))
            wanted = 200_000
            try:
                while wanted > 0 and (piece := len(raw.recv(wanted))):
                    received, wanted = received + piece, wanted - piece
            except ConnectionResetError:
                piece = 0
    server.should_exit = True
    thread.join(10)
    return received


def test_a_client_that_reads_slowly_gets_all_of_a_long_answer() -> None:
    assert _read_with(repeat(0.1)) > LONG_ANSWER


def test_a_client_that_does_not_read_is_cut_off() -> None:
    assert _read_with(chain([2.5], repeat(0.0))) < LONG_ANSWER


FLOOD = """
import asyncio, json, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

async def one(port):
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 100)
    except (OSError, TimeoutError):
        return "refused"
    try:
        writer.write(b"GET /healthz HTTP/1.1\\r\\nhost: t\\r\\n\\r\\n")
        return (await asyncio.wait_for(reader.readline(), 100)).split()[1].decode()
    except (OSError, TimeoutError, IndexError) as error:
        return "refused" if not isinstance(error, TimeoutError) else "hung"
    finally:
        writer.close()

async def main():
    answers = await asyncio.gather(*(one(int(sys.argv[1])) for _ in range(10_000)))
    print(json.dumps({answer: answers.count(answer) for answer in set(answers)}))

asyncio.run(main())
"""


def test_ten_thousand_connections_at_once_are_served_or_refused_and_none_hangs(database: str) -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 11_000:
        pytest.skip(f"this machine allows {hard} open files; the test opens 10,000")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # On a busy machine it takes a while until a client that is connected comes to ask.
    with running(database, service_max_connections=500, service_header_timeout_secs=100) as service:
        command = [sys.executable, "-c", FLOOD, str(service.address[1])]
        flood = subprocess.run(command, capture_output=True, text=True, check=True, timeout=250)
        found = json.loads(flood.stdout)
        assert "hung" not in found, found
        assert sum(found.values()) == 10_000
        assert found["200"] > 0
        with service.client() as client:
            assert client.get("/healthz").status_code == 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB
