"""When a row was answered: formats of times, the one that a column has, its time zones."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from thetaline.errors import InputError
from thetaline.jobs.importing.units import TimeUnit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLAIN_NUMBER = "time is a plain number; say what it counts by --time-unit"
OTHER_FORM = "time is not ISO 8601 nor of another known form; say its --time-format"

# The day is at the place that the name says; what follows is the time of day.
_DAYS = {
    "iso": r"(?P<Y>\d{4})[-/.] ?(?P<m>\d{1,2})[-/.] ?(?P<d>\d{1,2})\.?",
    "dotted": r"(?P<d>\d{1,2})\. ?(?P<m>\d{1,2})\. ?(?P<Y>\d{4}|\d\d)",
    "day first": r"(?P<d>\d{1,2})[/-](?P<m>\d{1,2})[/-](?P<Y>\d{4}|\d\d)",
    "month first": r"(?P<m>\d{1,2})[/-](?P<d>\d{1,2})[/-](?P<Y>\d{4}|\d\d)",
    "1 Nov 2026": r"(?:[A-Za-z]{3,9},? )?(?P<d>\d{1,2})[ -](?P<b>[A-Za-z]{3,9})\.?,?[ -](?P<Y>\d{4}|\d\d)",
    "Nov 1, 2026": r"(?:[A-Za-z]{3,9},? )?(?P<b>[A-Za-z]{3,9})\.? (?P<d>\d{1,2}),? (?P<Y>\d{4})",
}
_HALF_DAY = r"(?: ?(?P<p>[AaPp])\.?[Mm]\.?)?"
_CLOCK = (
    r"(?:(?:,? +(?:at )?|T)(?P<H>\d{1,2}):(?P<M>\d\d)(?::(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?)?"
    + _HALF_DAY
    + r")? ?(?P<z>[A-Za-z][A-Za-z/_]+|Z|[+-]\d\d:?\d\d)?"
)
_PATTERNS = {name: re.compile(day + _CLOCK) for name, day in _DAYS.items()}
_UNAMBIGUOUS = tuple(_PATTERNS[name] for name in ("iso", "dotted", "1 Nov 2026", "Nov 1, 2026"))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Names of exports that the zone database lacks or takes for another hour.
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "cet": 1, "cest": 2, "kst": 9, "jst": 9,
}  # fmt: skip
_EPOCH_UNITS = ((10, TimeUnit.S), (13, TimeUnit.MS), (16, TimeUnit.US))  # digits of a time between 2001 and 2286

Instant = tuple[int | None, str]  # microseconds since 1970, or the reason why not
TimeParser = Callable[[str, str | None], Instant]  # of a text and the row's zone


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How a column's times are read, and that in words."""

    parse: TimeParser
    words: str


def form_of_times(
    texts: Sequence[str], *, default_zone: tzinfo, time_format: str | None, unit: TimeUnit | None
) -> TimeForm:
    """The form of a column's times, by options, else by its first distinct texts.

    Raises InputError where day and month cannot be told apart, or numbers count nobody knows what.
    """
    if time_format is not None:
        return TimeForm(_by_format(time_format, default_zone), f"by {time_format}")
    if unit is not None:
        return TimeForm(count_since(unit), f"{unit.words} since 1970")
    if texts and all(map(_is_number, texts)):
        unit = _epoch_unit(texts)
        return TimeForm(count_since(unit), f"{unit.words} since 1970")
    offset = f"without an offset in {default_zone}"
    slashed = [found for text in texts if (found := _PATTERNS["day first"].fullmatch(text.strip()))]
    if not slashed:
        return TimeForm(_in_form(_UNAMBIGUOUS, default_zone), f"{_form_words(texts)}; {offset}")
    name = _day_or_month_first(slashed)
    return TimeForm(_in_form((*_UNAMBIGUOUS, _PATTERNS[name]), default_zone), f"{name}; {offset}")


def _form_words(texts: Sequence[str]) -> str:
    """The forms among the first texts."""
    forms = {"iso": "ISO 8601", "dotted": "day.month.year", "1 Nov 2026": "named month", "Nov 1, 2026": "named month"}
    found = (
        next((forms[one] for one in forms if _PATTERNS[one].fullmatch(text.strip())), None) for text in texts[:100]
    )
    return " or ".join(sorted({name for name in found if name})) or "ISO 8601"


def _day_or_month_first(found: Sequence[re.Match[str]]) -> str:
    """Of `10/14/05` the month is first, since no month is the fourteenth."""
    first, second = max(int(one["d"]) for one in found), max(int(one["m"]) for one in found)
    if first <= 12 and second <= 12:
        text = found[0].group()
        raise InputError(
            f"times such as {text!r} may have the day or the month first; say "
            f"--time-format '%m/%d/%Y %H:%M' or '%d/%m/%Y %H:%M' (%y for a year of two digits)"
        )
    return "day first" if first > 12 else "month first"


def _epoch_unit(texts: Sequence[str]) -> TimeUnit:
    lengths = {len(text.strip().split(".")[0]) for text in texts}
    for digits, unit in _EPOCH_UNITS:
        if lengths == {digits}:
            return unit
    raise InputError(f"{PLAIN_NUMBER} (the first is {texts[0]})")


def _is_number(text: str) -> bool:
    return text.strip().replace(".", "", 1).isdecimal()


def zone_of(name: str) -> tzinfo | None:
    """The zone of a name (`Asia/Seoul`, `EST`) or an offset (`+09:00`); None for an unknown one."""
    text = name.strip()
    if offset := re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?", text):
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes)) if minutes < 24 * 60 else None
    if text.lower() in _ZONES:
        return timezone(timedelta(hours=_ZONES[text.lower()]))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _in_form(patterns: Sequence[re.Pattern[str]], default_zone: tzinfo) -> TimeParser:
    def parse(text: str, zone: str | None) -> Instant:
        try:
            return _micros(datetime.fromisoformat(text.strip()), zone, default_zone)
        except (ValueError, OverflowError):
            pass
        found = next((match for pattern in patterns if (match := pattern.fullmatch(text.strip()))), None)
        if found is None:
            return None, PLAIN_NUMBER if _is_number(text) else OTHER_FORM
        try:
            return _micros(_date_and_time(found), found["z"] or zone, default_zone)
        except (ValueError, OverflowError) as error:
            return None, f"time is not ISO 8601: {error}"

    return parse


def _by_format(time_format: str, default_zone: tzinfo) -> TimeParser:
    def parse(text: str, zone: str | None) -> Instant:
        try:
            return _micros(datetime.strptime(text.strip(), time_format), zone, default_zone)  # noqa: DTZ007
        except (ValueError, OverflowError):
            return None, f"time does not fit --time-format {time_format}"

    return parse


def _date_and_time(found: re.Match[str]) -> datetime:
    part = found.groupdict()
    month = int(part["m"]) if part.get("m") else _MONTHS.index(part["b"][:3].lower()) + 1
    hour = int(part["H"] or 0)
    if part["p"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"hour {hour} of twelve")
        hour = hour % 12 + (12 if part["p"].lower() == "p" else 0)
    fraction = int((part["f"] or "0")[:6].ljust(6, "0"))
    year = int(part["Y"]) + (0 if len(part["Y"]) == 4 else 2000 if int(part["Y"]) < 69 else 1900)  # as strptime does
    return datetime(year, month, int(part["d"]), hour, int(part["M"] or 0), int(part["S"] or 0), fraction)  # noqa: DTZ001


def _micros(at: datetime, zone: str | None, default_zone: tzinfo) -> Instant:
    if at.tzinfo is None:
        known = default_zone if zone is None else zone_of(zone)
        if known is None:
            return None, f"time zone is not known: {zone!r}; Asia/Seoul, EST and +09:00 would be"
        written, at = at, at.replace(tzinfo=known).astimezone(UTC)
        if at.astimezone(known).replace(tzinfo=None) != written:
            return None, f"time does not exist in {known}, where clocks are put forward over it (--time-zone)"
    return (at.astimezone(UTC) - EPOCH) // timedelta(microseconds=1), ""


def count_since(unit: TimeUnit) -> TimeParser:
    """Microseconds of a number of units."""

    def parse(text: str, _zone: str | None) -> Instant:
        try:
            count = float(text)
        except ValueError:
            count = math.nan
        if not math.isfinite(count) or "_" in text:
            return None, "time is no number"
        if count < 0:
            return None, "time is negative"
        micros = count * unit.micros
        return (round(micros), "") if micros < 2**62 else (None, "time lies in the future")

    return parse
