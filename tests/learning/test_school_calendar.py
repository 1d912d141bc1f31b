"""Days of a time zone, against zoneinfo's own clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar
from thetaline.learning.windows import Window, day_number, last_days, monday

SECOND = timedelta(seconds=1)
days = st.dates(date(1970, 1, 3), date(2037, 12, 31))
zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
instants = st.datetimes(datetime(1970, 1, 3), datetime(2037, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def calendar_of(name: str) -> SchoolCalendar:
    return SchoolCalendar(ZoneInfo(name))


def hours(name: str, day: date) -> float:
    start, stop = (calendar_of(name).start_of(day + timedelta(days=more)) for more in (0, 1))
    return (stop - start) / timedelta(hours=1)


@settings(deadline=None)  # the first look at a zone reads its file
@given(zones, days)
def test_a_day_begins_where_the_clocks_of_its_zone_first_show_its_date(zone: ZoneInfo, day: date) -> None:
    start = SchoolCalendar(zone).start_of(day)
    assert start.astimezone(zone).date() >= day
    assert (start - SECOND).astimezone(zone).date() < day


@settings(deadline=None)
@given(zones, instants)
def test_an_instant_lies_in_the_day_that_it_belongs_to_and_in_no_other(zone: ZoneInfo, at: datetime) -> None:
    calendar = SchoolCalendar(zone)
    day = calendar.day_of(at)
    assert calendar.start_of(day) <= at < calendar.start_of(day + timedelta(days=1))
    shown = at.astimezone(zone).date()
    assert day == shown or (
        day == shown + timedelta(days=1) and (at + timedelta(hours=3)).astimezone(zone).date() == day
    )


@settings(deadline=None)
@given(zones, instants, st.lists(st.timedeltas(timedelta(), timedelta(days=400)), max_size=20))
def test_days_of_many_instants_are_those_of_each(zone: ZoneInfo, first: datetime, later: list[timedelta]) -> None:
    calendar, several = SchoolCalendar(zone), [first + more for more in later]
    micros = np.array(
        [(at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for at in several], np.int64
    )
    assert calendar.day_numbers(micros).tolist() == [day_number(calendar.day_of(at)) for at in several]


@settings(deadline=None)
@given(zones, days, st.integers(1, 60))
def test_a_window_begins_and_ends_where_its_days_do(zone: ZoneInfo, last: date, length: int) -> None:
    calendar, window = SchoolCalendar(zone), last_days(last, length)
    start, stop = calendar.start_of(last - timedelta(days=length - 1)), calendar.start_of(last + timedelta(days=1))
    assert calendar.bounds(window) == {"start": start, "stop": stop}
    starts = calendar.day_starts(window)
    assert (len(starts), starts[0], starts[-1]) == (length + 1, start, stop)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("Europe/Berlin", date(2025, 3, 30), 23),
        ("Europe/Berlin", date(2025, 10, 26), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # 00:00 becomes 01:00: the day has no midnight
        ("America/Sao_Paulo", date(2018, 2, 17), 25),  # 24:00 becomes 23:00
        ("Asia/Beirut", date(2025, 3, 30), 23),
        ("Asia/Beirut", date(2025, 10, 25), 25),
        ("America/Havana", date(2025, 11, 2), 25),  # 01:00 becomes 00:00: midnight comes twice
        ("Australia/Lord_Howe", date(2025, 4, 6), 24.5),
        ("Asia/Seoul", date(2025, 3, 30), 24),
        ("Pacific/Apia", date(2011, 12, 30), 0),  # skipped, when the date line moved
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(zone: str, day: date, length: float) -> None:
    assert hours(zone, day) == length


def test_a_day_without_a_midnight_begins_when_the_clocks_jump() -> None:
    assert calendar_of("America/Sao_Paulo").start_of(date(2018, 11, 4)) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_a_new_day_that_has_begun_does_not_end_when_clocks_go_back_over_midnight() -> None:
    newfoundland = calendar_of("America/St_Johns")  # on 2010-11-07 at 00:01 the clocks went back to 23:01
    at = datetime(2010, 11, 7, 2, 45, tzinfo=UTC)
    assert at.astimezone(newfoundland.zone).isoformat() == "2010-11-06T23:15:00-03:30"
    assert newfoundland.day_of(at) == date(2010, 11, 7)


def test_monday_morning_in_seoul_belongs_to_its_own_iso_week() -> None:
    at = datetime(2025, 11, 2, 23, 30, tzinfo=UTC)  # Monday, 08:30 in Seoul; Sunday in UTC
    assert monday(calendar_of("Asia/Seoul").day_of(at)) == date(2025, 11, 3)
    assert monday(calendar_of("UTC").day_of(at)) == date(2025, 10, 27)


def test_yesterday_is_the_last_day_that_is_over() -> None:
    seoul = calendar_of("Asia/Seoul")
    midnight = datetime(2025, 11, 2, 15, tzinfo=UTC)
    assert seoul.last_day_over(midnight) == date(2025, 11, 2)
    assert seoul.last_day_over(midnight - SECOND) == date(2025, 11, 1)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])  # there the day has 25 hours
def test_a_day_has_its_number_from_its_first_instant_to_its_last(zone: str) -> None:
    calendar, day = calendar_of(zone), date(2025, 10, 26)
    first, stop = (calendar.start_micros(day + timedelta(days=more)) for more in (0, 1))
    numbers = calendar.day_numbers(np.array([first - 1, first, stop - 1, stop]))
    assert (numbers - day_number(day)).tolist() == [-1, 0, 0, 1]
    assert (calendar.day_numbers(np.array([first, stop - 1])) == day_number(day)).all()


def test_no_instants_have_no_days() -> None:
    assert calendar_of("Asia/Seoul").day_numbers(np.empty(0, np.int64)).tolist() == []


def test_days_of_utc_begin_at_midnight() -> None:
    window = Window(day_number(date(2025, 10, 20)), day_number(date(2025, 11, 3)))
    start, stop = datetime(2025, 10, 20, tzinfo=UTC), datetime(2025, 11, 3, tzinfo=UTC)
    assert UTC_DAYS.bounds(window) == {"start": start, "stop": stop}
