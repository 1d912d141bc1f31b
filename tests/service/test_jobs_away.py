"""A database or a service that is away for a moment costs no large fit."""

import asyncio
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from serving import INTERNAL, Running, observations, running, suspended, wait_until, waiting_for_a_lock

from thetaline import api
from thetaline.client import AsyncClient, Client, Retries
from thetaline.db import job_queue
from thetaline.service import database as database_module
from thetaline.service.fits import runner

ROWS = observations(n_users=80, n_items=8)
JSON = {"content-type": "application/json"}


def _submit(client: httpx.Client) -> str:
    answer = client.post("/irt/calibrate", json={"observations": ROWS}, headers={"prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["href"])


@contextmanager
def _database_away(server: str, database: str) -> Iterator[None]:
    """Every session is ended and none is let in."""
    name = str(conninfo_to_dict(database)["dbname"])
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(name)))
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        try:
            yield
        finally:
            admin.execute(sql.SQL("alter database {} allow_connections true").format(sql.Identifier(name)))


def test_a_running_fit_outlives_a_database_that_is_away_for_less_than_its_lease(
    database_server: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "WAIT_SECS", 0.5)
    with running(database) as service, service.client() as client:
        with suspended(service.fit_processes()):
            href = _submit(client)
            wait_until(lambda: service.services.dispatcher.busy == 1)
            with _database_away(database_server, database):
                failed = _failed_calls(service)
                wait_until(lambda: _failed_calls(service) >= failed + 3)
            pids = service.services.dispatcher.pids
        wait_until(lambda: _is_done(client, href), secs=60)
        assert client.get(href).json()["attempts"] == 1
        assert service.services.dispatcher.pids == pids


def _failed_calls(service: Running) -> int:
    """How many calls of the queue got no connection so far."""
    return service.services.queue._pool.get_stats().get("requests_errors", 0)


def _is_done(client: httpx.Client, href: str) -> bool:
    answer = client.get(href)
    return answer.status_code == 200 and answer.json()["state"] == "done"


def test_a_queue_that_meets_a_defect_is_asked_again(
    database: str, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "POLL_SECS", 0.1)
    monkeypatch.setattr(runner, "FORGET_SECS", 0.1)
    with running(database) as service, service.client() as client:
        with psycopg.connect(database) as conn:  # as a migration that went half-way leaves it
            conn.execute("alter table service_job rename column finished_at to finished")
        wait_until(lambda: "the queue met a defect" in log.getvalue())
        wait_until(lambda: "old jobs were not forgotten" in log.getvalue())
        with psycopg.connect(database) as conn:
            conn.execute("alter table service_job rename column finished to finished_at")
        href = _submit(client)
        wait_until(lambda: _is_done(client, href), secs=60)
        with psycopg.connect(database) as conn:
            conn.execute("update service_job set finished_at = now() - interval '8 days'")
        wait_until(lambda: client.get(href).status_code == 404)


def test_a_claim_that_is_under_way_when_the_service_stops_is_undone(database: str) -> None:
    with running(database) as service, psycopg.connect(database) as conn:
        job_queue.add_job(
            conn, [b"{}"], kind="calibrate", token_name=INTERNAL, content_type="application/json", options={}
        )
        conn.execute("lock table service_job in access exclusive mode")
        service.services.runner.wake()
        wait_until(lambda: waiting_for_a_lock(database) > 0)
        loop = service.services.runner._loops[0].get_loop()
        closing = asyncio.run_coroutine_threadsafe(service.services.runner.close(), loop)
        wait_until(lambda: service.services.runner._closing)
        conn.commit()
        closing.result(10)
        conn.execute("lock table service_job in access exclusive mode")  # after a claim that nobody would undo
        assert conn.execute("select state, attempts from service_job").fetchall() == [("queued", 0)]


class Door:
    """A TCP port in front of a service that can be shut: connections through it break and new ones are refused."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.is_open = True
        self.knocks = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        self.is_open = False
        for one in self._pairs:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.shut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for one in (*self._pairs, self._listener):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _address = self._listener.accept()
                self.knocks += 1
                if self.is_open:
                    self._join(caller, socket.create_connection(self._target))
                else:
                    caller.close()

    def _join(self, caller: socket.socket, service: socket.socket) -> None:
        self._pairs += [caller, service]
        for source, sink in ((caller, service), (service, caller)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


async def _ask(url: str, request: api.CalibrateRequest) -> api.CalibrateResponse:
    async with AsyncClient(url, INTERNAL, retries=Retries(1, 0.05)) as client:
        return await client.calibrate(request)


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_service_that_is_away_while_a_large_fit_is_waited_for_is_asked_again(
    queueing: Running, awaiting: bool
) -> None:
    request = api.CalibrateRequest.model_validate({"observations": ROWS})
    answers: list[api.CalibrateResponse] = []
    door = Door(queueing.address)

    def ask() -> None:
        if awaiting:
            answers.append(asyncio.run(_ask(door.url, request)))
            return
        with Client(door.url, INTERNAL, retries=Retries(1, 0.05)) as client:
            answers.append(client.calibrate(request))

    thread = threading.Thread(target=ask)
    with suspended(queueing.fit_processes()):
        thread.start()
        wait_until(lambda: queueing.services.dispatcher.busy == 1)
        door.shut()
        seen = door.knocks
        wait_until(lambda: door.knocks >= seen + 4)  # more than the retries of one call
        door.is_open = True
    thread.join(60)
    door.close()
    assert [len(answer.item_params) for answer in answers] == [8]


def test_no_body_of_a_request_outlives_its_job(database: str) -> None:
    with running(database) as service, service.client() as client:
        with suspended(service.fit_processes()):
            first, second = _submit(client), _submit(client)
            wait_until(lambda: service.services.dispatcher.busy == 1)
            client.delete(second)  # queued
            client.delete(first)  # at work
            wait_until(lambda: client.get(first).json()["state"] == "cancelled")
        broken = client.post("/irt/calibrate", content=b"{", headers={"prefer": "respond-async", **JSON}).json()["href"]
        wait_until(lambda: client.get(broken).json()["state"] == "failed")
        with psycopg.connect(database) as conn:
            assert _parts(conn) == []


def test_no_body_outlives_a_job_that_is_beyond_help(database: str) -> None:
    with running(database) as service, service.client() as client, suspended(service.fit_processes()):
        first, second = _submit(client), _submit(client)
        wait_until(lambda: service.services.dispatcher.busy == 1)
        with psycopg.connect(database) as conn:  # as three deaths leave it
            conn.execute("update service_job set attempts = 3 where state = 'queued'")
        service.services.runner.wake()
        client.delete(first)
        wait_until(lambda: client.get(second).json()["state"] == "failed")
        with psycopg.connect(database) as conn:
            assert _parts(conn) == []


def _parts(conn: psycopg.Connection[Any]) -> list[Any]:
    return conn.execute("select job_id, part from service_job_body").fetchall()


class LosesTheFirstAnswer(httpx.HTTPTransport):
    """A network on which the first request arrives and its answer does not."""

    lost = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if not self.lost:
            self.lost = True
            response.close()
            raise httpx.ReadError("the connection broke", request=request)
        return response


def test_a_request_whose_answer_was_lost_is_one_job(queueing: Running) -> None:
    request = api.CalibrateRequest.model_validate({"observations": ROWS})
    before, network = _request_keys(queueing), LosesTheFirstAnswer()
    with Client(queueing.url, INTERNAL, retries=Retries(1, 0.05), transport=network) as client:
        assert len(client.calibrate(request).item_params) == 8
    assert network.lost
    with queueing.client() as other:
        for key, status in (("k-1", 202), ("k-1", 202), ("k-2", 202), ("no key", 422)):
            headers = {"idempotency-key": key, "prefer": "respond-async"}
            assert other.post("/irt/calibrate", json={"observations": ROWS}, headers=headers).status_code == status
    made = _request_keys(queueing) - before
    assert len(made) == 3
    assert made >= {"k-1", "k-2"}


def _request_keys(service: Running) -> set[str]:
    """Of all jobs; the table takes each once."""
    with psycopg.connect(service.database) as conn:
        return {row[0] for row in conn.execute("select request_key from service_job")}
