"""Parsers of one text of a file; each returns (value, "") or (None, the reason)."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from thetaline.jobs.importing.columns import TimeUnit

Parsed = tuple[float | bool | int | None, str]
Parser = Callable[[str], Parsed]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_RESPONSE_MS = 2**31 - 1

_YES = frozenset({"1", "1.0", "true", "t", "yes", "y"})
_NO = frozenset({"0", "0.0", "false", "f", "no", "n"})


def parse_correct(text: str) -> Parsed:
    """True or false, in the words and digits of exports."""
    word = text.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES, ""
    return None, "answer is neither true nor false"


def parse_score(threshold: float | None) -> Parser:
    """Scores 0..1: correct at `threshold` or above; without a threshold only 0 and 1 are taken."""

    def parse(text: str) -> Parsed:
        score = _number(text)
        if score is None:
            return None, "score is no number"
        if not 0.0 <= score <= 1.0:
            return None, "score is outside 0..1"
        if threshold is None and score not in {0.0, 1.0}:
            return None, "score is partial; give --score-threshold"
        return score >= (1.0 if threshold is None else threshold), ""

    return parse


def parse_hint(text: str) -> Parsed:
    """Whether a hint was used: true, false, or how many were."""
    value, problem = parse_correct(text)
    if not problem:
        return value, ""
    return (True, "") if text.strip().isdecimal() else (None, "hint is neither true, false nor a count")


def parse_response_time(unit: TimeUnit) -> Parser:
    """Milliseconds, rounded."""
    micros = unit.micros

    def parse(text: str) -> Parsed:
        number, problem = _not_negative("response time", text)
        if number is None:
            return None, problem
        milliseconds = round(number * micros / 1_000)
        return (milliseconds, "") if milliseconds <= LONGEST_RESPONSE_MS else (None, "response time is beyond 24 days")

    return parse


def parse_instant(zone: ZoneInfo) -> Parser:
    """Microseconds since 1970 of an ISO 8601 time; one without an offset is what the clocks of `zone` showed.

    Of a time that they show twice, the first is taken; one that they never show is no time.
    """

    def parse(text: str) -> Parsed:
        if text.strip().replace(".", "", 1).isdecimal():
            return None, "time is a plain number; say what it counts by --time-unit"
        try:
            written = datetime.fromisoformat(text.strip())
            instant = written.replace(tzinfo=written.tzinfo or zone).astimezone(UTC)
            if written.tzinfo is None and instant.astimezone(zone).replace(tzinfo=None) != written:
                return None, f"time does not exist in {zone.key}, where clocks are put forward over it (--time-zone)"
        except (ValueError, OverflowError):
            return None, "time is not ISO 8601"
        return (instant - EPOCH) // timedelta(microseconds=1), ""

    return parse


def parse_count(unit: TimeUnit) -> Parser:
    """Microseconds of a number of units, since 1970 or since the start of the row's day."""
    micros_in_one = unit.micros

    def parse(text: str) -> Parsed:
        number, problem = _not_negative("time", text)
        if number is None:
            return None, problem
        micros = number * micros_in_one
        return (round(micros), "") if micros < 2**62 else (None, "time lies in the future")

    return parse


def _not_negative(name: str, text: str) -> tuple[float | None, str]:
    number = _number(text)
    if number is None:
        return None, f"{name} is no number"
    return (number, "") if number >= 0 else (None, f"{name} is negative")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
