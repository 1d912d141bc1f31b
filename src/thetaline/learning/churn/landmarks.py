"""One row for each learner and week: what is known at the landmark, and whether the 14 days after it stay silent.

Landmarks are a week apart (van Houwelingen 2007) and end with the last day; all days are school days. A learner is at
risk who was active within the last 14 days; whoever is silent longer has left already, and a return opens a new spell.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from thetaline.learning._types import Array, Int32s, Ints, Mask
from thetaline.learning.attempts import Attempts
from thetaline.learning.inactivity import ActivityHistory
from thetaline.learning.term_calendar import NO_TERMS, TermCalendar
from thetaline.learning.windows import Window

SILENT_DAYS = 14
WEEK_DAYS = 7
MONTH_DAYS = 28  # covariates look that far back, and no landmark lies nearer to the first day
HABIT_DAYS = 56  # the days that the nightly S is made of
NEVER = -1

COVARIATES = (
    "log_silence",  # log(1 + days since the last active one)
    "active_7",  # active days of the last 7
    "log_rate",  # log of the share of active days of the last 28, of those since the first
    "overdue",  # −log P(so long a silence) of a learner who still comes at that rate
    "trend",  # active days of the last 14 less those of the 14 before
    "log_spell",  # log(1 + days since the first active one after the last long silence)
    "returned",  # 1 where there was such a silence
    "log_answers",  # log(1 + answers an active day)
    "accuracy",  # share right, of the last 28 days as the one above and below; NaN unknown
    "hint_share",
)


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkRows:
    """R rows of learners at risk. `x` (R, P) of `names`, NaN where unknown; `silent` is 1, 0 or NaN: not over yet.

    `landmark` counts weeks back from the last day, 0 the newest; `habit_…` is what the nightly S knows (R,).
    """

    learner: Ints
    landmark: Ints
    x: Array
    silent: Array
    is_new: Mask  # first active less than 28 days before
    habit_active: Ints
    habit_last: Ints
    habit_days: Ints
    names: tuple[str, ...] = COVARIATES

    @property
    def habit(self) -> ActivityHistory:
        """The active days behind each row, as S reads them."""
        return ActivityHistory(self.habit_active, self.habit_last, self.habit_days)

    def where(self, mask: Mask) -> "LandmarkRows":
        """The rows under a mask."""
        arrays: dict[str, Any] = {name: getattr(self, name)[mask] for name in _ARRAYS}
        return LandmarkRows(**arrays, names=self.names)


_ARRAYS = [field.name for field in fields(LandmarkRows) if field.name != "names"]


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The rows, and of the last day whom it finds silent for 14 days or more, (n_learners,).

    `habits` has of each landmark the active days of all whom the nightly S knows, the silent ones too.
    """

    rows: LandmarkRows
    habits: tuple[ActivityHistory, ...]
    already_silent: Mask


@dataclass(frozen=True, slots=True, eq=False)
class _Days:
    """(n_learners, D) sums over the days up to each, of a window of D school days."""

    active: Int32s
    answers: Int32s
    answered: Int32s
    correct: Int32s
    hint_known: Int32s
    hints: Int32s


def landmark_rows(
    attempts: Attempts, window: Window, terms: TermCalendar = NO_TERMS, *, silent_days: int = SILENT_DAYS
) -> Cohort:
    """Rows of all landmarks in the window but its first 28 days, which only tell what came before."""
    inside, school = terms.in_school_days(attempts, window)
    days = _sums(inside, school)
    active = np.diff(days.active, axis=1, prepend=0) > 0
    last, spell, returned, first = _spells(active, silent_days)
    landmarks = np.arange(school.days - 1, MONTH_DAYS - 1, -WEEK_DAYS)
    parts, habits = [], []
    for number, at in enumerate(landmarks.tolist()):
        who = np.flatnonzero((last[:, at] != NEVER) & (at - last[:, at] < silent_days))
        states = (at - last[who, at], at - spell[who, at], returned[who, at], at - first[who])
        x = _covariates(days, who, at, states)
        silent = _silent(days.active, who, at, silent_days)
        is_new = at - first[who] < MONTH_DAYS
        parts.append((who, np.full(who.size, number), x, silent, is_new, *_habit(active, who, at)))
        seen = np.flatnonzero((last[:, at] != NEVER) & (at - last[:, at] < HABIT_DAYS))
        habits.append(ActivityHistory(*_habit(active, seen, at)))
    return Cohort(_joined(parts), tuple(habits), _already_silent(last, school.days, silent_days))


def _sums(inside: Attempts, school: Window) -> _Days:
    inside = inside.where(school.contains(inside.day))  # none, where all days are free
    shape = inside.n_learners, school.days
    cell = inside.learner.astype(np.int64) * shape[1] + (inside.day - school.start)

    def total(mask: Mask) -> Int32s:
        counts = np.bincount(cell[mask], minlength=shape[0] * shape[1]).reshape(shape)
        return np.cumsum(counts, axis=1, dtype=np.int32)

    everything = np.ones(cell.size, bool)
    answered, known = inside.correct >= 0, inside.hint >= 0
    answers = total(everything)
    active = np.cumsum(np.diff(answers, axis=1, prepend=0) > 0, axis=1, dtype=np.int32)
    return _Days(active, answers, total(answered), total(inside.correct == 1), total(known), total(inside.hint == 1))


def _spells(active: Mask, silent_days: int) -> tuple[Int32s, Int32s, Mask, Ints]:
    """(N, D) last active day, first day of the spell, whether it is a later one; (N,) first active day."""
    n, n_days = active.shape
    last, spell = np.full((2, n, n_days), NEVER, np.int32)
    returned = np.zeros((n, n_days), bool)
    previous, start, later = np.full(n, NEVER), np.full(n, NEVER), np.zeros(n, bool)
    for day in range(n_days):
        here = active[:, day]
        back = here & (previous != NEVER) & (day - previous > silent_days)
        start = np.where(here & ((previous == NEVER) | back), day, start)
        later = later | back
        previous = np.where(here, day, previous)
        last[:, day], spell[:, day], returned[:, day] = previous, start, later
    first = np.where(active.any(axis=1), active.argmax(axis=1) if n_days else 0, n_days)
    return last, spell, returned, first.astype(np.int64)


def _covariates(days: _Days, who: Ints, at: int, states: tuple[Ints, Ints, Mask, Ints]) -> Array:
    silence, spell, returned, age = states
    in_7, in_14, in_28 = (_within(days.active, who, at, span) for span in (7, 14, 28))
    answered = _within(days.answered, who, at, MONTH_DAYS)
    hint_known = _within(days.hint_known, who, at, MONTH_DAYS)
    answers = _within(days.answers, who, at, MONTH_DAYS)
    nothing = np.full(who.size, np.nan)
    rate = (in_28 + 0.5) / (np.minimum(age + 1, MONTH_DAYS) + 1)  # neither 0 nor 1 after a few days
    columns = [
        np.log1p(silence),
        in_7,
        np.log(rate),
        -silence * np.log1p(-rate),
        in_14 - (in_28 - in_14),
        np.log1p(spell),
        returned,
        np.log1p(answers / np.maximum(in_28, 1)),
        np.divide(_within(days.correct, who, at, MONTH_DAYS), answered, out=nothing.copy(), where=answered > 0),
        np.divide(_within(days.hints, who, at, MONTH_DAYS), hint_known, out=nothing.copy(), where=hint_known > 0),
    ]
    return np.column_stack([np.asarray(column, float) for column in columns])


def _within(sums: Int32s, who: Ints, at: int, span: int) -> Array:
    """Sum over the `span` days that end with `at`."""
    before = sums[who, at - span] if at >= span else np.zeros(who.size)
    return np.asarray(sums[who, at] - before, float)


def _silent(active: Int32s, who: Ints, at: int, silent_days: int) -> Array:
    """1 where none of the days after is active, NaN where they are not all over."""
    end = at + silent_days
    if end >= active.shape[1]:
        return np.full(who.size, np.nan)
    return np.asarray(active[who, end] == active[who, at], float)


def _habit(active: Mask, who: Ints, at: int) -> tuple[Ints, Ints, Ints]:
    """Active days after the first, the newest of them and all days, of the last 56 (see `inactivity`)."""
    span = active[who, max(0, at + 1 - HABIT_DAYS) : at + 1]
    first = span.argmax(axis=1)
    newest = span.shape[1] - 1 - span[:, ::-1].argmax(axis=1)
    return (span.sum(axis=1) - 1).astype(np.int64), newest - first, span.shape[1] - 1 - first


def _already_silent(last: Int32s, n_days: int, silent_days: int) -> Mask:
    if not n_days:
        return np.zeros(last.shape[0], bool)
    newest = last[:, -1]
    return np.asarray((newest != NEVER) & (n_days - 1 - newest >= silent_days))


def _joined(parts: list[tuple[Any, ...]]) -> LandmarkRows:
    empty = [np.empty(0, np.int64)] * 2 + [np.empty((0, len(COVARIATES))), np.empty(0), np.empty(0, bool)]
    columns = zip(*parts, strict=True) if parts else [[one] for one in [*empty, *[np.empty(0, np.int64)] * 3]]
    arrays: dict[str, Any] = {name: np.concatenate(column) for name, column in zip(_ARRAYS, columns, strict=True)}
    return LandmarkRows(**arrays)
