"""Levels: what a learner of a range of θ can do, in both languages; from configuration, with a set that is shipped."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from thetaline.errors import InputError
from thetaline.reports.value import Estimate, Language

_FEWEST, _MOST = 3, 5
_MOST_SPANNED = 2  # an interval over more levels names none of them


@dataclass(frozen=True, slots=True)
class Level:
    """A level in one language."""

    name: str
    can: str  # what learners of this level mostly can, a sentence


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Levels from low to high; level k lies between cuts k − 1 and k on the θ scale."""

    cuts: tuple[float, ...]
    levels: dict[Language, tuple[Level, ...]]

    def __post_init__(self) -> None:
        """Raises InputError where levels and cuts do not belong together."""
        n = len(self.cuts) + 1
        if not _FEWEST <= n <= _MOST:
            raise InputError(f"level descriptors: {n} levels; give {_FEWEST} to {_MOST}, that is one cut fewer")
        if list(self.cuts) != sorted(set(self.cuts)):
            raise InputError(f"level descriptors: cuts {list(self.cuts)} do not rise; sort them")
        for language in Language:
            if len(self.levels.get(language, ())) != n:
                found = len(self.levels.get(language, ()))
                raise InputError(
                    f"level descriptors: {found} levels in {language}, {n} by the cuts; describe each level"
                )

    def level_of(self, theta: Estimate) -> int | None:
        """The level that holds θ; None where its 95 % interval touches more than two levels."""
        low, high = self.touched(theta)
        return self._at(theta.value) if high - low < _MOST_SPANNED else None

    def touched(self, theta: Estimate) -> tuple[int, int]:
        """The lowest and the highest level that the 95 % interval touches."""
        return self._at(theta.low), self._at(theta.high)

    def _at(self, value: float) -> int:
        return sum(value >= cut for cut in self.cuts)


def read_descriptors(path: Path) -> Descriptors:
    """Levels of a TOML file: `cuts`, and a `[[ko]]` and `[[en]]` table with `name` and `can` for each level.

    Raises InputError for what is missing or does not belong together.
    """
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as why:
        raise InputError(f"level descriptors {path}: {why}") from None
    except (KeyError, TypeError, ValueError) as why:
        if isinstance(why, InputError):
            raise InputError(f"{path}: {why}") from None
        raise InputError(
            f"level descriptors {path}: {why!r}; give cuts = [numbers], and [[ko]] and [[en]] tables with name and can"
        ) from None


@cache
def default_descriptors() -> Descriptors:
    """The five levels that are shipped."""
    return _parsed(files("thetaline.reports").joinpath("catalogue", "levels.toml").read_text(encoding="utf-8"))


def _parsed(text: str) -> Descriptors:
    found = tomllib.loads(text)
    levels = {
        language: tuple(Level(name=str(one["name"]), can=str(one["can"])) for one in found[language])
        for language in Language
    }
    return Descriptors(tuple(float(cut) for cut in found["cuts"]), levels)
