"""The school year: days on which nobody is expected to learn (holidays, vacations), and weeks of exams.

Where silence is measured, such free days do not count: days are counted in school days, which stand still over a
vacation. What is done on a free day counts for the school day before it.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import InputError
from thetaline.learning._types import Int32s
from thetaline.learning.attempts import Attempts
from thetaline.learning.windows import Window, day_number

MOST_DAYS = 200  # of one period; a longer one is a wrong year


class PeriodKind(StrEnum):
    """What a period is; work is expected in weeks of exams, not on the others."""

    HOLIDAY = "holiday"
    VACATION = "vacation"
    EXAM = "exam"

    @property
    def is_free(self) -> bool:
        """Whether its days do not count as school days."""
        return self is not PeriodKind.EXAM


class Period(NamedTuple):
    """Days from the first to the last, both included."""

    first_day: date
    last_day: date
    kind: PeriodKind
    name: str

    @property
    def window(self) -> Window:
        """Its days as numbers."""
        return Window(day_number(self.first_day), day_number(self.last_day) + 1)


def checked_period(first_day: date, last_day: date, kind: PeriodKind, name: str) -> Period:
    """The period. Raises InputError where it ends before it begins, lasts over 200 days or has no printable name."""
    n_days = (last_day - first_day).days + 1
    if n_days < 1:
        raise InputError(f"the last day {last_day} lies before the first, {first_day}; exchange them")
    if n_days > MOST_DAYS:
        raise InputError(f"{first_day} to {last_day} are {n_days} days, more than {MOST_DAYS}; check the years")
    words = " ".join(name.split())
    if not words:
        raise InputError(f"the period from {first_day} has no name; say what it is, for those who read a chart")
    if any(character < " " or character == "\x7f" for character in words):
        raise InputError(f"the name {words!r} of the period from {first_day} has control characters; take them out")
    return Period(first_day, last_day, kind, words)


@dataclass(frozen=True)
class TermCalendar:
    """The periods of a school; they may overlap."""

    periods: tuple[Period, ...] = ()

    @cached_property
    def free_days(self) -> Int32s:
        """The numbers of all free days, ascending."""
        spans = [np.arange(one.window.start, one.window.stop) for one in self.periods if one.kind.is_free]
        return np.unique(np.concatenate([np.empty(0), *spans])).astype(np.int32)

    def school_day(self, day: NDArray[np.integer] | int) -> Int32s:
        """Day numbers -> numbers that rise by one with each school day and stay level over free days."""
        return np.asarray(day - np.searchsorted(self.free_days, day, side="right"), np.int32)

    def school_days(self, window: Window) -> Window:
        """The window in numbers of school days; it is empty where all its days are free."""
        return Window(int(self.school_day(window.start - 1)) + 1, int(self.school_day(window.stop - 1)) + 1)

    def in_school_days(self, attempts: Attempts, window: Window) -> tuple[Attempts, Window]:
        """The attempts inside a window and the window itself, days counted in school days.

        What is done on free days before the window's first school day counts for that day.
        """
        inside, school = attempts.where(window.contains(attempts.day)), self.school_days(window)
        return replace(inside, day=np.maximum(self.school_day(inside.day), np.int32(school.start))), school

    def of_kind(self, kind: PeriodKind) -> tuple[Period, ...]:
        """Its periods of one kind, the earliest first."""
        return tuple(sorted(one for one in self.periods if one.kind is kind))


NO_TERMS = TermCalendar()
