"""Numbers, dates and words as a language writes them; each knows how to be put into a sentence of the catalogue.

Babel (extra `reports`) is loaded by the first number: the values of reports are used where no page is made.
"""

# ruff: noqa: PLC0415
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from thetaline.reports.particles import PAIRS, with_particle
from thetaline.reports.value import Language

_MINUS = "\u2212"


class Word(str):
    """Text within a sentence: `{topic:은/는}` adds the particle that fits."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        """The text, with the particle of `spec`."""
        return with_particle(str(self), spec) if spec in PAIRS else super().__format__(spec)


class Count(Word):
    """A whole number within a sentence: `{n:answer|answers}` adds the noun, singular or plural."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        """The number, with the noun or the particle of `spec`."""
        if "|" not in spec:
            return super().__format__(spec)
        singular, plural = spec.split("|")
        return f"{self} {singular if self == '1' else plural}"


@dataclass(frozen=True, slots=True)
class Formats:
    """How a language writes numbers and dates."""

    language: Language

    def decimal(self, value: float, digits: int = 2) -> Word:
        """A number with `digits` decimals, a true minus sign, and no minus before nought."""
        from babel.numbers import format_decimal

        rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
        pattern = f"0.{'0' * digits}" if digits else "0"
        text = format_decimal(abs(rounded), format=pattern, locale=self.language)
        return Word(_MINUS + text if rounded < 0 else text)

    def signed(self, value: float, digits: int = 2) -> Word:
        """A change: as `decimal`, with a plus sign where it is above nought."""
        text = self.decimal(value, digits)
        return text if text.startswith(_MINUS) or not text.strip("0.,") else Word(f"+{text}")

    def percent(self, share: float) -> Word:
        """A share of 1 in whole per cent."""
        return Word(f"{self.decimal(100 * share, 0)}%")

    def count(self, n: int) -> Count:
        """A whole number."""
        return Count(n)

    def day(self, day: date) -> Word:
        """A day in full."""
        from babel.dates import format_date

        return Word(format_date(day, "long", locale=self.language))

    def short_day(self, day: date) -> Word:
        """A day of a known year."""
        from babel.dates import format_date

        return Word(format_date(day, "M/d" if self.language is Language.KO else "MMM d", locale=self.language))

    def period(self, first: date, last: date) -> Word:
        """From a day to a day."""
        from babel.dates import format_interval

        return Word(format_interval(first, last, "yMMMd", locale=self.language))

    def moment(self, at: datetime) -> Word:
        """A day and time, in the time zone that it comes in."""
        from babel.dates import format_datetime

        return Word(format_datetime(at, "yyyy-MM-dd HH:mm zzz", tzinfo=at.tzinfo, locale=self.language))
