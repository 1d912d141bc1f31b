"""Parsers of one text of a file; each returns (value, "") or (None, the reason); (None, "") is a missing value."""

import math
import re
from collections.abc import Callable, Mapping

from thetaline.jobs.importing.answer_key import AnswerKey
from thetaline.jobs.importing.units import TimeUnit
from thetaline.jobs.importing.words import Verdict, is_nothing, verdict

Parsed = tuple[float | bool | int | None, str]
Parser = Callable[[str], Parsed]

PAIR = "\x1f"  # between the two texts of a pair that is parsed as one
LONGEST_RESPONSE_MS = 2**31 - 1
NEGATIVE_RESPONSE_TIME = "response time is negative"
BEYOND_RESPONSE_TIME = "response time is beyond 24 days"
COSTS_THE_VALUE = frozenset({NEGATIVE_RESPONSE_TIME, BEYOND_RESPONSE_TIME})  # and not the answer

_ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?(?:0|\d+(?=,(?!\d{3}$))),\d+")
_CLOCK_DURATION = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d\d(?:\.\d+)?)")


def parse_correct(words: Mapping[str, Verdict]) -> Parser:
    """Right, wrong or missing, by `words` first and then by the usual ones."""

    def parse(text: str) -> Parsed:
        meant = verdict(text, words)
        return (None, "answer is neither true nor false") if meant is None else (meant.value_of, "")

    return parse


def parse_score(threshold: float | None, full: float | None, words: Mapping[str, Verdict]) -> Parser:
    """Scores 0..1, or 0..`full` (of a pair: its second): correct from `threshold` of it on, else only 0 and 1 count."""

    def parse(text: str) -> Parsed:
        first, _, second = text.partition(PAIR)
        if (meant := words.get(first.strip().casefold())) is not None:
            return meant.value_of, ""
        points, most = _number(first), _number(second) if second else (full or 1.0)
        if points is None or most is None or most <= 0:
            return None, "score is no number" if points is None else f"a full score is no number above 0: {second}"
        return _credit(points / most, threshold, "1" if most == 1.0 else f"{most:g}")

    return parse


def parse_response(key: AnswerKey, threshold: float | None, words: Mapping[str, Verdict]) -> Parser:
    """A pair of an item and a response, scored by the key; an item that is not in the key by the usual words."""
    by_words = parse_correct(words)

    def parse(text: str) -> Parsed:
        item, _, response = text.partition(PAIR)
        if words.get(response.strip().casefold()) is Verdict.MISSING:
            return None, ""
        credit = key.credit(item, response)
        if credit is None:
            value, problem = by_words(response)
            return (value, "") if not problem else (None, "the key has no such item")
        return _credit(credit, threshold, "1")

    return parse


def _credit(share: float, threshold: float | None, full: str) -> Parsed:
    if not 0.0 <= share <= 1.0:
        return None, f"score is outside 0..{full}"
    if threshold is None and share not in {0.0, 1.0}:
        return None, "score is partial; give --score-threshold"
    return share >= (1.0 if threshold is None else threshold), ""


def parse_hint(text: str) -> Parsed:
    """Whether a hint was used: true, false, or how many were."""
    if is_nothing(text):
        return None, ""
    if (count := _number(text)) is not None and count >= 0 and count.is_integer():
        return count > 0, ""
    meant = verdict(text, {})
    return (None, "hint is neither true, false nor a count") if meant is None else (meant.value_of, "")


def parse_response_time(unit: TimeUnit) -> Parser:
    """Milliseconds, rounded, of a number of units, of `PT1M4S` or of `1:04`."""

    in_one = unit.micros / 1_000

    def parse(text: str) -> Parsed:
        number = _number(text)
        if number is None and is_nothing(text):
            return None, ""
        exact = _duration_ms(text.strip()) if number is None else number * in_one
        if exact is None:
            return None, "response time is no number"
        if exact < 0:
            return None, NEGATIVE_RESPONSE_TIME
        milliseconds = round(exact)
        return (milliseconds, "") if milliseconds <= LONGEST_RESPONSE_MS else (None, BEYOND_RESPONSE_TIME)

    return parse


def _duration_ms(text: str) -> float | None:
    """Milliseconds of ISO 8601's `P1DT2H3M4.5S`, or of hours, minutes and seconds as a clock shows them."""
    if found := _CLOCK_DURATION.fullmatch(text):
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return 1_000 * (3600 * hours + 60 * minutes + seconds)
    if (found := _ISO_DURATION.fullmatch(text)) and any(found.groups()):
        days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return 1_000 * (86_400 * days + 3600 * hours + 60 * minutes + seconds)
    return None


def parse_place(name: str, first: int) -> Parser:
    """A whole number from `first` on, as the distance from it; `name` is what it numbers."""

    def parse(text: str) -> Parsed:
        number = _number(text)
        if number is None or not number.is_integer() or not first <= number < 2**53:
            return None, f"{name} is no whole number from {first} on"
        return int(number) - first, ""

    return parse


def _number(text: str) -> float | None:
    """The number; a comma is a decimal point where it cannot stand before thousands: 0,5 and 12,25, not 1,250."""
    try:
        number = float(text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text.strip()) else text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
