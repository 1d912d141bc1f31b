"""The role of each column of a file, and the options by which its values are parsed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from thetaline.errors import InputError
from thetaline.learning.school_calendar import UTC_DAYS, SchoolCalendar


class Role(StrEnum):
    """What a column can mean."""

    USER = "user"
    ITEM = "item"
    CORRECT = "correct"
    SCORE = "score"
    TIME = "time"
    TOPIC = "topic"
    SESSION = "session"
    RESPONSE_TIME = "response-time"
    HINT = "hint"
    DATED_BY = "dated-by"


class TimeUnit(StrEnum):
    """The unit of a time that is a plain number."""

    S = "s"
    MS = "ms"
    US = "us"

    @property
    def micros(self) -> int:
        """Microseconds in one unit."""
        return {"s": 1_000_000, "ms": 1_000, "us": 1}[self.value]


USUAL_NAMES: Mapping[Role, tuple[str, ...]] = {
    Role.USER: ("user_id", "user", "learner_id", "student_id", "person_id"),
    Role.ITEM: ("item_id", "question_id", "item", "question"),
    Role.CORRECT: ("is_correct", "correct"),
    Role.SCORE: ("score",),
    Role.TIME: ("answered_at", "responded_at", "completed_at", "timestamp", "time", "started_at"),
    Role.TOPIC: ("topic_id", "topic"),
    Role.SESSION: ("session_id", "session"),
    Role.RESPONSE_TIME: ("response_time_ms", "time_spent_sec"),
    Role.HINT: ("hint_used", "used_hints"),
}


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """How values are parsed; `dates` gives the rows with a value of the `dated-by` column their day."""

    threshold: float | None = None  # a score at or above it is a correct answer
    time_unit: TimeUnit | None = None
    response_time_unit: TimeUnit | None = None  # None: by the column's name, else milliseconds
    dates: Mapping[str, date] = field(default_factory=dict)
    on: date | None = None  # the day of every row
    calendar: SchoolCalendar = UTC_DAYS  # of times without an offset, of given days, of sessions of a day


def assign(names: Sequence[str], chosen: Mapping[Role, str]) -> dict[Role, str]:
    """The column of each role: the chosen one, else the first of the role's usual names that the file has.

    Raises InputError when a chosen column is absent or a needed role has none.
    """
    absent = [f"--{role} {name}" for role, name in chosen.items() if name not in names]
    if absent:
        raise InputError(f"the file has no column for {', '.join(absent)}; its columns are: {_listed(names)}")
    taken = {
        name for role, name in chosen.items() if role is not Role.DATED_BY
    }  # that column may have another role too
    columns = dict(chosen)
    for role, usual in USUAL_NAMES.items():
        found = next((name for name in usual if name in names and name not in taken), None)
        if role not in columns and found and not _is_excluded(role, columns):
            columns[role] = found
    _check_needed(names, columns)
    return columns


def seconds_or_milliseconds(column: str) -> TimeUnit:
    """The unit by the end of a column's name (`…_sec`, `…_s`), else milliseconds."""
    return TimeUnit.S if column.lower().endswith(("_s", "_sec", "_secs", "_seconds")) else TimeUnit.MS


def _is_excluded(role: Role, columns: Mapping[Role, str]) -> bool:
    """An answer comes from one column: --score, or a correct column, excludes the other."""
    return (role is Role.CORRECT and Role.SCORE in columns) or (role is Role.SCORE and Role.CORRECT in columns)


def _check_needed(names: Sequence[str], columns: Mapping[Role, str]) -> None:
    missing = [f"--{role}" for role in (Role.USER, Role.ITEM) if role not in columns]
    if Role.CORRECT not in columns and Role.SCORE not in columns:
        missing.append("--correct (or --score)")
    if missing:
        raise InputError(
            f"the file has no column that is known as {', '.join(missing)}; name it by that option; "
            f"its columns are: {_listed(names)}"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name if len(name) <= 60 else name[:57] + "…" for name in names[:40])
    return (shown or "none") + (", …" if len(names) > 40 else "")
