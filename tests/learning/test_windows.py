from datetime import date, timedelta

import numpy as np
from hypothesis import given, strategies as st

from thetaline.learning.windows import day_number, last_days, monday

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def test_the_contracts_windows_are_d_minus_13_to_d_and_d_minus_27_to_d_minus_14() -> None:
    recent = last_days(date(2025, 11, 2), 14)
    inside = [day for day in range(-40, 5) if recent.contains(np.array([day_number(date(2025, 11, 2)) + day]))[0]]
    before = [
        day for day in range(-40, 5) if recent.before().contains(np.array([day_number(date(2025, 11, 2)) + day]))[0]
    ]
    assert inside == list(range(-13, 1))
    assert before == list(range(-27, -13))


def test_days_are_counted_from_the_first_of_1970() -> None:
    assert [day_number(date(1970, 1, 1)), day_number(date(1971, 1, 1))] == [0, 365]


def test_a_window_names_its_first_and_its_last_day() -> None:
    recent = last_days(date(2025, 11, 2), 14)
    assert (recent.first_day, recent.last_day) == (date(2025, 10, 20), date(2025, 11, 2))


@given(days, st.integers(1, 90), st.integers(-200, 10))
def test_windows_are_of_one_length_and_no_day_lies_in_both(as_of: date, length: int, offset: int) -> None:
    recent = last_days(as_of, length)
    before = recent.before()
    day = np.array([day_number(as_of) + offset])
    assert recent.days == before.days == length
    assert not (recent.contains(day) & before.contains(day)).any()
    assert (recent.contains(day) | before.contains(day))[0] == (-2 * length < offset <= 0)


@given(days)
def test_a_week_is_its_monday(as_of: date) -> None:
    start = monday(as_of)
    assert start.isoweekday() == 1
    assert start <= as_of < start + timedelta(days=7)
