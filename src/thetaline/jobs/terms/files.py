"""Calendars as files: CSV with a header `first_day,last_day,kind,name`, and iCalendar."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from thetaline.errors import FileRowsError, InputError
from thetaline.jobs.command_line import parse_day
from thetaline.learning.term_calendar import Period, PeriodKind, checked_period

COLUMNS = ("first_day", "last_day", "kind", "name")
NEEDED = ("first_day", "name")
ICALENDAR = ".ics"
DATE_FIELDS = ("DTSTART", "DTEND", "DURATION")
SHOWN = 5
KINDS = tuple(PeriodKind)
Row = Mapping[str, str]


def read_periods(path: Path, *, kind: PeriodKind | None = None) -> list[Period]:
    """The periods of a file, each once; `kind` is that of rows and events that name none.

    Raises InputError for a file that cannot be read, FileRowsError with the lines that make no sense.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is no UTF-8; save the file as UTF-8") from None
    rows = _ics_rows(path, text) if path.suffix.lower() == ICALENDAR else _csv_rows(path, text)
    periods = _checked(path, rows, kind)
    if not periods:
        raise InputError(f"{path}: there are no periods in it; nothing was changed")
    return sorted(set(periods))


def _checked(path: Path, rows: Iterable[tuple[str, Row]], kind: PeriodKind | None) -> list[Period]:
    """All periods. Raises FileRowsError with the places of the first faults."""
    periods, faults = [], []
    for place, row in rows:
        try:
            periods.append(_period(row, kind))
        except InputError as error:
            faults.append(f"  {place}: {error}")
    if faults:
        more = [f"  … and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        raise FileRowsError("\n".join([f"{path}: {len(faults)} periods cannot be taken:", *faults[:SHOWN], *more]))
    return periods


def _period(row: Row, kind: PeriodKind | None) -> Period:
    first = parse_day("first_day", row.get("first_day") or "")
    last = parse_day("last_day", row["last_day"]) if row.get("last_day") else first
    return checked_period(first, last, _kind(row.get("kind") or "", kind), row.get("name") or "")


def _kind(text: str, default: PeriodKind | None) -> PeriodKind:
    if not text and default is not None:
        return default
    if text.lower() not in KINDS:
        raise InputError(
            f"the kind {text!r} is none of {', '.join(KINDS)}; correct it, or leave it empty and say --kind"
        )
    return PeriodKind(text.lower())


def _csv_rows(path: Path, text: str) -> list[tuple[str, Row]]:
    reader = csv.DictReader(text.splitlines())
    header = [name.strip().lower() for name in reader.fieldnames or ()]
    if missing := [name for name in NEEDED if name not in header]:
        raise InputError(f"{path}: the header has no {', '.join(missing)}; it is {','.join(COLUMNS)}")
    reader.fieldnames = header
    return [(f"line {reader.line_num}", _stripped(row)) for row in reader]


def _stripped(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: value.strip() for name, value in row.items() if isinstance(value, str)}


def _ics_rows(path: Path, text: str) -> list[tuple[str, Row]]:
    try:
        from icalendar import Calendar  # noqa: PLC0415 - an extra, of which CSV has no need
    except ModuleNotFoundError:
        raise InputError(f"{path}: iCalendar files need more: pip install 'thetaline[calendar]'") from None
    try:
        calendars = Calendar.from_ical(text, multiple=True)
    except ValueError as error:
        raise InputError(f"{path}: this is no iCalendar file ({error})") from None
    if any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise InputError(f"{path}: this is no iCalendar file (it does not begin with VCALENDAR)")
    return [_event_row(event, path) for calendar in calendars for event in calendar.walk("VEVENT")]


def _event_row(event: Any, path: Path) -> tuple[str, Row]:
    """An event's days; DTEND is the day after the last one where days are meant (RFC 5545, 3.6.1)."""
    name = str(event.get("SUMMARY", ""))
    if "DTSTART" not in event:
        raise InputError(f"{path}: the event {name!r} has no DTSTART")
    if "RRULE" in event:
        raise InputError(f"{path}: the event {name!r} recurs by a rule (RRULE); write out its days, year by year")
    if unread := [f"{field}: {why}" for field, why in event.errors if field in DATE_FIELDS]:  # they stay text
        raise InputError(f"{path}: the event {name!r}: {'; '.join(unread)}")
    first = event.decoded("DTSTART")
    try:
        end = event.decoded("DTEND") if "DTEND" in event else first + event.decoded("DURATION", timedelta())
        before = end - (timedelta(microseconds=1) if isinstance(end, datetime) else timedelta(days=1))
        last = max(_day(first), _day(before))
    except (OverflowError, TypeError):  # a list: the property comes twice
        raise InputError(f"{path}: the event {name!r} has no single start and end in any year; correct it") from None
    row = {"first_day": str(_day(first)), "last_day": str(last), "kind": _category(event), "name": name}
    return f"event {name!r}", row


def _category(event: Any) -> str:
    """The first of an event's categories that is a kind of ours, else none: other programs have their own."""
    given = event.get("CATEGORIES", [])
    words = [str(word).lower() for one in (given if isinstance(given, list) else [given]) for word in one.cats]
    return next((word for word in words if word in KINDS), "")


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
