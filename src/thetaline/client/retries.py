"""When a call is made again and how long to wait before: attempt k waits k × delay, a little more by chance."""

import random
from dataclasses import dataclass

import httpx

RETRIED_STATUS = frozenset({429, 502, 503, 504})
# A timed-out read is not among them: the server may be computing still, and would compute twice.
RETRIED_ERRORS = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
)
JITTER = 0.25  # of the wait, on top: callers that failed together do not come back together
LONGEST_WAIT_SECS = 60.0


@dataclass(frozen=True, slots=True)
class Retries:
    """`most` further attempts after the first, `delay_secs` × k before the k-th of them."""

    most: int = 3
    delay_secs: float = 0.5

    def wait_after(self, attempt: int, outcome: httpx.Response | httpx.TransportError) -> float | None:
        """Seconds to wait after attempt 1, 2, …; None when its outcome stands."""
        if attempt > self.most or not _is_passing(outcome):
            return None
        wait = attempt * self.delay_secs * (1.0 + random.uniform(0.0, JITTER))  # noqa: S311  not a secret
        return min(max(wait, _asked_for(outcome)), LONGEST_WAIT_SECS)


def _is_passing(outcome: httpx.Response | httpx.TransportError) -> bool:
    if isinstance(outcome, httpx.Response):
        return outcome.status_code in RETRIED_STATUS
    return isinstance(outcome, RETRIED_ERRORS)


def _asked_for(outcome: httpx.Response | httpx.TransportError) -> float:
    """The server's Retry-After in seconds; 0 where there is none, or it is a date."""
    text = outcome.headers.get("retry-after", "") if isinstance(outcome, httpx.Response) else ""
    return float(text) if text.isascii() and text.isdigit() else 0.0
