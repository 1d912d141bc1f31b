"""How many requests a token may make in a time that the test tells."""

import math

import pytest
from hypothesis import given, strategies as st
from serving import ITEM, Clock, running

from thetaline.service.http_errors import ApiError
from thetaline.service.rate_limit import BURST_SECS, RateLimits
from thetaline.service.tokens import Scope

SCORE = {"item_params": [ITEM], "responses": [[1]]}


def _taken(limits: RateLimits) -> int:
    """How many requests pass at this moment."""
    for passed in range(1_000):
        try:
            limits.take("one")
        except ApiError:
            return passed
    raise AssertionError("there is no limit")


@given(per_sec=st.floats(0.1, 50), pauses=st.lists(st.floats(0, 1e6), min_size=1, max_size=5))
def test_no_pause_saves_up_more_than_a_burst(per_sec: float, pauses: list[float]) -> None:
    clock = Clock()
    limits, burst = RateLimits(per_sec, clock=clock), max(1.0, per_sec * BURST_SECS)
    assert _taken(limits) == math.floor(burst)
    for pause in pauses:
        clock.secs += pause
        assert _taken(limits) <= burst


def test_a_rate_refills_at_its_own_pace() -> None:
    clock = Clock()
    limits = RateLimits(per_sec=20.0, clock=clock)
    taken = []
    for pause in (0.0, 0.25, 3600.0):
        clock.secs += pause
        taken.append(_taken(limits))
    assert taken == [40, 5, 40]


def test_a_token_over_its_rate_is_told_when_to_come_back_and_is_served_then() -> None:
    clock = Clock()
    limits = RateLimits(per_sec=0.25, clock=clock)
    limits.take("one")
    limits.take("another")
    with pytest.raises(ApiError, match="too many requests") as refused:
        limits.take("one")
    assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "4"})
    clock.secs += 4
    limits.take("one")


def test_two_tokens_of_one_name_have_a_rate_each(database: str) -> None:
    with running(database, service_rate_per_sec=0.001) as service:
        first, second = service.token(Scope.SCORE), service.token(Scope.SCORE)
        with service.client(first) as one, service.client(second) as another:
            assert one.post("/irt/score", json=SCORE).status_code == 200
            refused = one.post("/irt/score", json=SCORE)
            assert another.post("/irt/score", json=SCORE).status_code == 200
    assert (refused.status_code, refused.json()["error"]) == (429, "too many requests with this token")
    assert 1 <= int(refused.headers["retry-after"]) <= 1000
