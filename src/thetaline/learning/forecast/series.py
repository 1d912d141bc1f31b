"""Weekly series of one metric, side by side: what is known of each week, and which weeks are like no other."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from thetaline.errors import InputError
from thetaline.learning._types import Array, Int32s, Mask
from thetaline.learning.forecast.scales import Metric
from thetaline.learning.term_calendar import PeriodKind, TermCalendar
from thetaline.learning.windows import day_number

MIN_WEEKS = 4  # of a series, to be forecast
MOST_WEEKS = 104
FREE_DAYS = 4  # of a week; from here on nothing is expected of it
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """N series over the same T calendar weeks, the newest last; NaN is a week of which nothing is known.

    `size` is what the sampling variance of a week comes from: of θ and I_t the standard error (NaN: unknown), of
    accuracy the number of answers, of activity the exposure (learners × share of the week's days with school).
    """

    metric: Metric
    value: Array  # (N, T)
    size: Array  # (N, T)
    left_out: Mask  # (T,) vacations and exams: part of no fit, and no anomaly
    school_share: Array | None = None  # (T,) of activity: the share of each week's days with school; None is all alike

    @property
    def known(self) -> Mask:
        """(N, T) weeks that the model learns from."""
        return np.isfinite(self.value) & ~self.left_out

    @property
    def newest_share(self) -> float:
        """How much of a usual week's school the newest had, 1 at most."""
        if self.school_share is None or self.left_out[-1]:
            return 1.0
        return float(min(self.school_share[-1] / np.median(self.school_share[~self.left_out]), 1.0))

    def usual_size(self) -> Array:
        """(N,) the median over the known weeks of a series, which a coming week is taken to have."""
        found = np.full(len(self.value), np.nan)
        seen = self.known & np.isfinite(self.size)
        some = seen.any(axis=1)
        if some.any():
            found[some] = np.nanmedian(np.where(seen, self.size, np.nan)[some], axis=1)
        return found


def check_panel(panel: Panel) -> None:
    """Raise InputError where shapes do not agree, or the weeks are too few or too many."""
    shape, sizes, weeks = panel.value.shape, panel.size.shape, panel.left_out.shape
    if len(shape) != 2 or shape != sizes or shape[1:] != weeks:
        raise InputError(f"values {shape}, sizes {sizes} and weeks {weeks} do not agree; give (N, T), (N, T), (T,)")
    if not MIN_WEEKS <= shape[1] <= MOST_WEEKS:
        raise InputError(f"{shape[1]} weeks of {panel.metric}; give {MIN_WEEKS} to {MOST_WEEKS}")


@dataclass(frozen=True, slots=True, eq=False)
class WeekCalendar:
    """What the school's calendar says of T weeks."""

    school_days: Int32s  # (T,) days of the week that are not free
    left_out: Mask  # (T,) mostly free, or with an exam


def week_calendar(first: date, n_weeks: int, terms: TermCalendar) -> WeekCalendar:
    """Of `n_weeks` weeks from the Monday `first` on; a week of four free days, or with exams, is left out."""
    starts = day_number(first) + WEEK_DAYS * np.arange(n_weeks)
    days = np.arange(WEEK_DAYS)[None, :] + starts[:, None]
    free = np.isin(days, terms.free_days).sum(axis=1)
    exams = np.zeros(n_weeks, bool)
    for period in terms.of_kind(PeriodKind.EXAM):
        exams |= (starts < period.window.stop) & (starts + WEEK_DAYS > period.window.start)
    return WeekCalendar((WEEK_DAYS - free).astype(np.int32), (free >= FREE_DAYS) | exams)
