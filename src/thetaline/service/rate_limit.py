"""How many requests a second a token may make: a bucket that fills steadily and holds two seconds' worth."""

import math
import time
from collections.abc import Callable

from thetaline.service.http_errors import busy

BURST_SECS = 2.0
MAX_BUCKETS = 10_000
Clock = Callable[[], float]


class RateLimits:
    """One bucket a token."""

    def __init__(self, per_sec: float, *, clock: Clock = time.monotonic) -> None:
        """`per_sec` requests, for each token alike; `clock` says the seconds."""
        self._per_sec, self._most = per_sec, max(1.0, per_sec * BURST_SECS)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._clock = clock

    def take(self, token_id: str) -> None:
        """One request of this token. Raises a 429 with the seconds until the next may come."""
        now = self._clock()
        left, at = self._buckets.get(token_id, (self._most, now))
        left = min(self._most, left + (now - at) * self._per_sec)
        if left < 1.0:
            raise busy("too many requests with this token", retry_after_secs=math.ceil((1.0 - left) / self._per_sec))
        if len(self._buckets) >= MAX_BUCKETS:
            self._buckets.clear()
        self._buckets[token_id] = (left - 1.0, now)
