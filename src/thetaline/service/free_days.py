"""The holidays of a request as the calendar that the library reads."""

from collections.abc import Sequence

from thetaline.api.churn import FreePeriod
from thetaline.errors import InputError
from thetaline.learning.term_calendar import PeriodKind, TermCalendar, checked_period
from thetaline.service.http_errors import ApiError


def free_days(holidays: Sequence[FreePeriod]) -> TermCalendar:
    """Raises a 422 for a period that ends before it begins."""
    try:
        periods = [
            checked_period(one["first_day"], one["last_day"], PeriodKind.HOLIDAY, one.get("name", "free"))
            for one in holidays
        ]
    except InputError as error:
        raise ApiError(422, f"holidays: {error}") from None
    return TermCalendar(tuple(periods))
