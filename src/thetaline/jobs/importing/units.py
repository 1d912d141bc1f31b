"""Units of times that are plain numbers, by option or by the column's name."""

import re
from enum import StrEnum

from thetaline.errors import InputError


class TimeUnit(StrEnum):
    """The unit of a time that is a plain number."""

    MIN = "min"
    S = "s"
    MS = "ms"
    US = "us"

    @property
    def micros(self) -> int:
        """Microseconds in one unit."""
        return {"min": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}[self.value]

    @property
    def words(self) -> str:
        """The unit in words."""
        return {"min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds"}[self.value]


_NAMES = {
    TimeUnit.MIN: frozenset({"min", "mins", "minute", "minutes"}),
    TimeUnit.S: frozenset({"s", "sec", "secs", "second", "seconds"}),
    TimeUnit.MS: frozenset({"ms", "msec", "msecs", "millis", "millisecond", "milliseconds"}),
    TimeUnit.US: frozenset({"us", "usec", "usecs", "micros", "microsecond", "microseconds"}),
}


def unit_in_name(column: str) -> TimeUnit | None:
    """The unit in a column's name (`time_spent_sec`, `Duration (sec)`, `elapsedMs`, `seconds`); None where none is."""
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", column)}
    units = [unit for unit, names in _NAMES.items() if words & names]
    return units[0] if len(units) == 1 else None


def response_time_unit(column: str, asked: TimeUnit | None) -> TimeUnit:
    """The unit that was asked for, else the name's.  Raises InputError when neither tells."""
    unit = asked or unit_in_name(column)
    if unit is None:
        raise InputError(
            f"--response-time {column}: the name tells no unit; say what its numbers count by "
            "--response-time-unit s (or ms, us, min)"
        )
    return unit
