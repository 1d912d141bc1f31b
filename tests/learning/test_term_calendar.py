"""School days: what stands still over a vacation, and what does not."""

from datetime import date

import numpy as np
import pytest
from tests.learning.cohorts import attempts

from thetaline.errors import InputError
from thetaline.learning.inactivity import BgBbParameters, activity_history, inactivity_probability
from thetaline.learning.kpis import engagement_parts
from thetaline.learning.term_calendar import NO_TERMS, Period, PeriodKind, TermCalendar, checked_period
from thetaline.learning.windows import Window, date_of_number, last_days

START = 20_000


def free(first: int, last: int, kind: PeriodKind = PeriodKind.VACATION) -> Period:
    return Period(date_of_number(START + first), date_of_number(START + last), kind, "a period")


TERMS = TermCalendar((free(5, 9), free(8, 11, PeriodKind.HOLIDAY), free(13, 14, PeriodKind.EXAM)))


def test_school_days_stand_still_over_free_days_and_go_on_in_weeks_of_exams():
    days = START + np.array([4, 5, 11, 12, 13, 14, 15])
    assert (TERMS.school_day(days) - TERMS.school_day(START + 4)).tolist() == [0, 0, 0, 1, 2, 3, 4]


def test_without_a_calendar_every_day_counts():
    window = Window(START, START + 28)
    assert NO_TERMS.school_days(window) == window


def test_a_window_has_as_many_school_days_as_are_not_free():
    assert TERMS.school_days(Window(START, START + 28)).days == 21
    assert TERMS.school_days(Window(START + 5, START + 12)).days == 0
    assert TERMS.school_days(Window(START + 9, START + 13)).days == 1


def test_what_is_done_in_a_vacation_counts_for_the_school_day_before_or_the_first_of_the_window():
    cohort = attempts([{"learner": 0, "day": START + day} for day in (3, 4, 7, 12)], 1)
    inside, window = TERMS.in_school_days(cohort, Window(START + 4, START + 20))
    assert (inside.day - window.start).tolist() == [0, 0, 1]
    inside, window = TERMS.in_school_days(cohort, Window(START + 6, START + 20))
    assert (inside.day - window.start).tolist() == [0, 0]


def test_a_vacation_makes_no_silence_longer_and_raises_no_s():
    rows = [{"learner": 0, "day": START + day} for day in (0, 2, 4)]
    parameters = BgBbParameters(1.0, 3.0, 0.5, 15.0)
    before, after = last_days(date_of_number(START + 4), 56), last_days(date_of_number(START + 11), 56)
    at_start = inactivity_probability(activity_history(attempts(rows, 1), before, TERMS), parameters)
    at_end = inactivity_probability(activity_history(attempts(rows, 1), after, TERMS), parameters)
    unaware = inactivity_probability(activity_history(attempts(rows, 1), after), parameters)
    assert at_end == pytest.approx(at_start)
    assert unaware[0] > at_start[0] + 0.1


def test_engagement_expects_no_session_in_a_vacation_and_sees_no_gap_there():
    cohort = attempts([{"learner": 0, "day": START + day} for day in (0, 2, 4, 12, 14, 16)], 1)
    aware, unaware = (engagement_parts(cohort, Window(START, START + 17), terms) for terms in (TERMS, NO_TERMS))
    assert (aware.gaps[0], unaware.gaps[0]) == pytest.approx((1 - 1 / 10, 1 - 7 / 17))
    assert (aware.sessions[0], unaware.sessions[0]) == pytest.approx((1.0, 6 / (3 * 17 / 7)))


def test_of_a_window_that_is_all_vacation_engagement_is_unknown():
    parts = engagement_parts(attempts([], 1), Window(START + 5, START + 12), TERMS)
    assert np.isnan([parts.sessions[0], parts.gaps[0]]).all()


@pytest.mark.parametrize(
    ("first", "last", "name", "message"),
    [
        (date(2026, 2, 18), date(2026, 2, 16), "Seollal", "2026-02-16 lies before the first, 2026-02-18"),
        (date(2026, 1, 1), date(2027, 1, 1), "winter", "366 days, more than 200; check the years"),
        (date(2026, 1, 1), date(2026, 1, 1), " ", "the period from 2026-01-01 has no name"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(first, last, name, message):
    with pytest.raises(InputError, match=message):
        checked_period(first, last, PeriodKind.HOLIDAY, name)


def test_periods_of_a_kind_come_in_order():
    assert TermCalendar(TERMS.periods[::-1]).of_kind(PeriodKind.EXAM) == (TERMS.periods[2],)
