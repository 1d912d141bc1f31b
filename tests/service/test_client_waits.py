"""How long the clients wait: before they ask again, and for a large fit."""

import asyncio
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
from serving import INTERNAL, Clock, Running, answering, jobs_in, observations, suspended, wait_until

from thetaline import api
from thetaline.client import AsyncClient, Client, Retries
from thetaline.client.polling import LONGEST_WAIT_SECS as LONGEST_PAUSE_SECS, LOOK_SECS, Polling
from thetaline.client.retries import LONGEST_WAIT_SECS
from thetaline.errors import ServiceError

BUSY = {"error": "busy", "detail": None}
FINE = {"status": "ok", "service": "r-irt-plumber", "version": "1.0.0"}


def _waits(answers: list[tuple[int, dict[str, str], Any]], retries: Retries, *, awaiting: bool) -> list[float]:
    """How long a client slept between these answers."""
    waits: list[float] = []

    async def sleep(secs: float) -> None:
        waits.append(secs)

    async def ask(url: str) -> None:
        async with AsyncClient(url, retries=retries, sleep=sleep) as client:
            await client.health()

    with answering(answers) as (url, asked):
        if awaiting:
            asyncio.run(ask(url))
        else:
            with Client(url, retries=retries, sleep=waits.append) as client:
                client.health()
    assert asked == ["/healthz"] * len(answers)
    return waits


@pytest.mark.parametrize("awaiting", [False, True])
def test_attempt_k_waits_k_delays_and_at_most_a_quarter_more(awaiting: bool) -> None:
    answers = [*((status, {}, BUSY) for status in (503, 429, 502)), (200, {}, FINE)]
    for wait, share in zip(_waits(answers, Retries(3, 0.5), awaiting=awaiting), (0.5, 1.0, 1.5), strict=True):
        assert share <= wait <= 1.25 * share


@pytest.mark.parametrize(("asked_for", "waited"), [("7", 7.0), ("86400", LONGEST_WAIT_SECS)])
@pytest.mark.parametrize("awaiting", [False, True])
def test_retry_after_is_obeyed_up_to_the_longest_wait(asked_for: str, waited: float, awaiting: bool) -> None:
    answers = [(429, {"retry-after": asked_for}, BUSY), (200, {}, FINE)]
    assert _waits(answers, Retries(3, 0.5), awaiting=awaiting) == [waited]


def test_no_delay_makes_a_wait_longer_than_the_longest() -> None:
    answers = [*[(503, {}, BUSY)] * 3, (200, {}, FINE)]
    assert _waits(answers, Retries(3, 50.0), awaiting=False)[1:] == [LONGEST_WAIT_SECS] * 2


def test_what_will_not_pass_is_not_waited_for() -> None:
    retries = Retries(most=3, delay_secs=0.5)
    assert retries.wait_after(3, httpx.Response(503)) is not None
    assert retries.wait_after(4, httpx.Response(503)) is None
    assert retries.wait_after(1, httpx.Response(422)) is None
    assert retries.wait_after(1, httpx.ReadTimeout("late")) is None


def _polled(timeout_secs: float, waits: list[float]) -> None:
    """Wait for a job that is never done."""
    clock = Clock()
    poll = Polling(timeout_secs, clock)
    while True:
        assert 1.0 <= poll.look_secs <= max(1.0, min(LOOK_SECS, timeout_secs))
        waits.append(poll.next_wait(uuid4()))
        clock.secs += waits[-1]


@pytest.mark.parametrize("timeout_secs", [0.05, 1.0, 300.0])
def test_looks_become_rarer_and_end_with_the_time(timeout_secs: float) -> None:
    waits: list[float] = []
    with pytest.raises(ServiceError, match=f"not done after {timeout_secs:g} s"):
        _polled(timeout_secs, waits)
    assert sum(waits) == pytest.approx(timeout_secs)
    assert waits[:-1] == sorted(waits[:-1])
    assert max(waits) <= LONGEST_PAUSE_SECS


def test_a_large_fit_that_is_not_done_in_time_is_cancelled(queueing: Running) -> None:
    request = api.CalibrateRequest.model_validate({"observations": observations(n_users=60, n_items=6)})
    before = jobs_in(queueing, "cancelled")
    with suspended(queueing.fit_processes()):
        with (
            Client(queueing.url, INTERNAL, timeout_secs=60.0, clock=count(0.0, 25.0).__next__) as client,
            pytest.raises(ServiceError, match="not done after 60 s"),
        ):
            client.calibrate(request)
        wait_until(lambda: jobs_in(queueing, "cancelled") == before + 1)
