"""How one text of a file becomes a value; each reader returns (value, "") or (None, why not)."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from thetaline.jobs.importing.columns import TimeUnit

Read = tuple[float | bool | int | None, str]
Reader = Callable[[str], Read]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_RESPONSE_MS = 2**31 - 1

_YES = frozenset({"1", "1.0", "true", "t", "yes", "y"})
_NO = frozenset({"0", "0.0", "false", "f", "no", "n"})


def read_correct(text: str) -> Read:
    """True or false, in the words and digits that exports use."""
    word = text.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES, ""
    return None, "answer is neither true nor false"


def read_score(threshold: float | None) -> Reader:
    """Scores 0..1: right at `threshold` or above; without one, only 0 and 1 say whether the answer was right."""

    def read(text: str) -> Read:
        score = _number(text)
        if score is None:
            return None, "score is no number"
        if not 0.0 <= score <= 1.0:
            return None, "score is outside 0..1"
        if threshold is None and score not in {0.0, 1.0}:
            return None, "score is partial; give --score-threshold"
        return score >= (1.0 if threshold is None else threshold), ""

    return read


def read_hint(text: str) -> Read:
    """Whether a hint was used: true, false, or how many were."""
    value, fault = read_correct(text)
    if not fault:
        return value, ""
    return (True, "") if text.strip().isdecimal() else (None, "hint is neither true, false nor a count")


def read_response_time(unit: TimeUnit) -> Reader:
    """Milliseconds, rounded."""
    micros = unit.micros

    def read(text: str) -> Read:
        number = _number(text)
        if number is None:
            return None, "response time is no number"
        if number < 0:
            return None, "response time is negative"
        milliseconds = round(number * micros / 1_000)
        return (milliseconds, "") if milliseconds <= LONGEST_RESPONSE_MS else (None, "response time is beyond 24 days")

    return read


def read_instant(text: str) -> Read:
    """Microseconds since 1970 of an ISO 8601 time; one without an offset is UTC."""
    if text.strip().replace(".", "", 1).isdecimal():
        return None, "time is a plain number; say what it counts by --time-unit"
    try:
        instant = datetime.fromisoformat(text.strip())
        in_utc = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None, "time is not ISO 8601"
    return (in_utc - EPOCH) // timedelta(microseconds=1), ""


def read_count(unit: TimeUnit) -> Reader:
    """Microseconds of a number of units, since 1970 or since the start of the row's day."""
    micros_in_one = unit.micros

    def read(text: str) -> Read:
        number = _number(text)
        if number is None:
            return None, "time is no number"
        if number < 0:
            return None, "time is negative"
        micros = number * micros_in_one
        return (round(micros), "") if micros < 2**62 else (None, "time lies in the future")

    return read


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
