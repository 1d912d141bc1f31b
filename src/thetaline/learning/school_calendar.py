"""Which day an instant belongs to: days as the clocks of one time zone count them.

A day is half-open, from its local midnight to the next one: 23 or 25 hours long where clocks change. Where they jump
over midnight it begins at the jump; where midnight comes twice, at the first of both.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from thetaline.learning._types import Int32s, Ints
from thetaline.learning.windows import Window, date_of_number, day_number

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SchoolCalendar:
    """The days of a time zone; all instants that it gives are UTC."""

    zone: ZoneInfo

    def start_micros(self, day: date) -> int:
        """Microseconds from 1970-01-01 UTC to the first instant of `day`, which may lie outside what datetime holds."""
        # Of a midnight that clocks jump over, the offset before the jump leads to the jump itself (PEP 495, fold=0).
        midnight = datetime.combine(day, time(), self.zone)
        offset = midnight.utcoffset() or timedelta()
        return (midnight.replace(tzinfo=UTC) - EPOCH - offset) // MICROSECOND

    def start_of(self, day: date) -> datetime:
        """The first instant of `day`."""
        return EPOCH + self.start_micros(day) * MICROSECOND

    def day_of(self, instant: datetime) -> date:
        """The day that an instant with an offset belongs to."""
        day = instant.astimezone(self.zone).date()
        # Clocks that are put back over midnight show the old date once more, within the new day.
        return day + DAY if self.start_of(day + DAY) <= instant else day

    def last_day_over(self, now: datetime) -> date:
        """Yesterday: the last day that is over at `now`."""
        return self.day_of(now) - DAY

    def day_starts(self, window: Window) -> list[datetime]:
        """The first instant of each day of a window, and of the day after its last."""
        return [self.start_of(date_of_number(day)) for day in range(window.start, window.stop + 1)]

    def bounds(self, window: Window) -> dict[str, datetime]:
        """`start`, the first instant inside a window, and `stop`, the first after it."""
        return {"start": self.start_of(window.first_day), "stop": self.start_of(window.last_day + DAY)}

    def day_numbers(self, micros: Ints) -> Int32s:
        """(M,) microseconds since 1970-01-01 UTC -> (M,) number of the day that each belongs to."""
        if not micros.size:
            return np.empty(0, np.int32)
        first, last = (day_number(self.day_of(EPOCH + int(at) * MICROSECOND)) for at in (micros.min(), micros.max()))
        starts = np.array([self.start_micros(date_of_number(day)) for day in range(first, last + 2)])
        if (np.diff(starts) == DAY // MICROSECOND).all():  # no clock changed: fifteen times as fast
            numbers = first + (micros - starts[0]) // (DAY // MICROSECOND)
        else:
            numbers = first - 1 + np.searchsorted(starts, micros, side="right")
        return np.asarray(numbers, np.int32)


UTC_DAYS = SchoolCalendar(ZoneInfo("UTC"))
