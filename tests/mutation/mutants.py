"""A place of the sources, a mutant of it, and a sample of mutants spread evenly."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What can be changed: one token or one statement; `changes` are the ways to change it."""

    path: str
    line: int
    column: int
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One change of one place of a package."""

    package: str
    path: str
    line: int
    change: str

    @property
    def name(self) -> str:
        """Tells it from all others of the same tree."""
        return f"{self.path}:{self.line}:{self.change}"


def sample(
    places: Mapping[str, Sequence[Place]], *, count: int, seed: int, effective: Callable[[Mutant], bool]
) -> list[Mutant]:
    """As many from each package, each package's spread over its files by their number of places.

    Any beginning of it is spread so too, since a run may be ended early.  A place none of whose changes is `effective`
    is passed over, so that a few mutants less than `count` may come back.
    """
    rng = random.Random(seed)  # noqa: S311  a sample, no secret
    shares = _shares(count, len(places))
    drawn = [
        _shuffled([(package, place) for place in _evenly(sorted(places[package]), share, rng)], rng)
        for package, share in zip(sorted(places), shares, strict=True)
    ]
    in_turn = (each for turn in zip_longest(*drawn) for each in turn if each)
    found = (_mutant(package, place, rng, effective) for package, place in in_turn)
    return [mutant for mutant in found if mutant]


def _shuffled(drawn: list[tuple[str, Place]], rng: random.Random) -> list[tuple[str, Place]]:
    return rng.sample(drawn, len(drawn))


def _mutant(package: str, place: Place, rng: random.Random, effective: Callable[[Mutant], bool]) -> Mutant | None:
    shuffled = rng.sample(place.changes, len(place.changes))
    mutants = (Mutant(package, place.path, place.line, change) for change in shuffled)
    return next((mutant for mutant in mutants if effective(mutant)), None)


def _shares(count: int, parts: int) -> list[int]:
    return [count // parts + (part < count % parts) for part in range(parts)]


def _evenly(places: Sequence[Place], count: int, rng: random.Random) -> Iterator[Place]:
    """A systematic sample: every k-th place in the order of the files, from a random first one."""
    count = min(count, len(places))
    step = len(places) / count if count else 0.0
    start = rng.random() * step
    yield from (places[int(start + number * step)] for number in range(count))


def both_ways(*pairs: str) -> dict[str, str]:
    """`both_ways("<|<=")`: each of a pair by the other."""
    return {one: other for pair in pairs for one, other in (pair.split("|"), reversed(pair.split("|")))}
