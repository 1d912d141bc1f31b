"""The two languages of the sources: what can be changed in a file, and the changed file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import python_source, sql_source
from .mutants import Mutant, Place


@dataclass(frozen=True, slots=True)
class Language:
    """How a file of it is mutated."""

    places: Callable[[str, str], Iterator[Place]]
    changed: Callable[[str, str], str]


_BY_SUFFIX = {
    ".py": Language(python_source.places, python_source.changed),
    ".sql": Language(sql_source.places, sql_source.changed),
}


def places(sources: Path, packages: Iterable[Path]) -> dict[str, list[Place]]:
    """By package, what can be changed; paths are relative to `sources`."""
    return {
        package.name: [place for path in sorted(package.rglob("*")) for place in _of(sources, path)]
        for package in packages
    }


@cache
def changed(sources: Path, mutant: Mutant) -> tuple[str, str]:
    """The file as it is, and as the mutant has it; `sources` stay as they are for the whole run."""
    path = sources / mutant.path
    text = path.read_text()
    return text, _BY_SUFFIX[path.suffix].changed(text, mutant.change)


def _of(sources: Path, path: Path) -> Iterator[Place]:
    if language := _BY_SUFFIX.get(path.suffix):
        yield from language.places(str(path.relative_to(sources)), path.read_text())
