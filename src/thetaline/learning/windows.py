"""Windows of whole days, as half-open intervals of day numbers (days since 1970-01-01)."""

from dataclasses import dataclass
from datetime import date, timedelta

from thetaline.learning._types import Int32s, Mask

EPOCH = date(1970, 1, 1)
FIRST_MONDAY = date(1969, 12, 29)
IMPROVEMENT_DAYS = 14
KPI_WINDOW_DAYS = 28


def day_number(day: date) -> int:
    """Days from 1970-01-01 to `day`."""
    return (day - EPOCH).days


def date_of_number(number: int) -> date:
    """The day that is `number` days after 1970-01-01."""
    return EPOCH + timedelta(days=number)


def monday(day: date) -> date:
    """The ISO Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())


def week_number(monday: date) -> int:
    """Whole weeks from the one of 1970-01-01 to that of a Monday."""
    return (monday - FIRST_MONDAY).days // 7


def monday_of_number(number: int) -> date:
    """The Monday of the week with that number."""
    return FIRST_MONDAY + timedelta(weeks=number)


def last_week_end(day: date) -> date:
    """The last Sunday up to `day`: the end of the newest ISO week that is over with it."""
    return day - timedelta(days=day.isoweekday() % 7)


def week_window(week: date) -> "Window":
    """The seven days from the Monday `week` on."""
    start = day_number(week)
    return Window(start, start + 7)


@dataclass(frozen=True, slots=True)
class Window:
    """The days start <= day < stop."""

    start: int
    stop: int

    def contains(self, day: Int32s) -> Mask:
        """(M,) day numbers -> (M,) whether each lies in the window."""
        return (day >= self.start) & (day < self.stop)

    def before(self) -> "Window":
        """The window of the same length that ends where this one starts."""
        return Window(2 * self.start - self.stop, self.start)

    @property
    def days(self) -> int:
        """Length in days."""
        return self.stop - self.start

    @property
    def first_day(self) -> date:
        """The first day inside."""
        return date_of_number(self.start)

    @property
    def last_day(self) -> date:
        """The last day inside."""
        return date_of_number(self.stop - 1)


def last_days(as_of: date, days: int) -> Window:
    """The `days` days that end with `as_of`, that day included."""
    stop = day_number(as_of) + 1
    return Window(stop - days, stop)
