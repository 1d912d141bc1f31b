"""What became of the mutants: a table by package, and the survivors with their diffs."""

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .runs import Outcome

OUTCOMES = ("killed", "timed out", "survived", "no test", "equivalent")
_CAUGHT = {"killed", "timed out"}
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Result:
    """A mutant and how its tests ended."""

    package: str
    path: str
    line: int
    holder: str  # the function or class that the line is in
    removed: str
    added: str
    tests: int  # that were run, until one failed
    left_out: int  # that reach the line too, but are slow
    outcome: Outcome


def difference(before: str, after: str) -> tuple[str, str]:
    """The lines that a change takes away, and those that it puts in their place."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return tuple("\n".join(line[1:] for line in lines if line.startswith(sign)) for sign in "-+")  # type: ignore[return-value]


class Reviewed:
    """Mutants that somebody has looked at and found to change nothing, recognised by their text."""

    def __init__(self, path: Path) -> None:
        """Reads the list."""
        told = tomllib.loads(path.read_text()).get("mutant", [])
        self._known = {(each["in"], _plain(each["removed"]), _plain(each["added"])) for each in told}

    def knows(self, holder: str, removed: str, added: str) -> bool:
        """Whether it is in the list."""
        return (holder, _plain(removed), _plain(added)) in self._known


def table(results: Sequence[Result]) -> str:
    """Counts by package, and the share that was caught of those that could be."""
    packages = sorted({result.package for result in results})
    rows = [_row(name, [result for result in results if result.package == name]) for name in packages]
    head = ["package", *OUTCOMES, "caught %"]
    return "\n".join(_line(row) for row in (head, *rows, _row("all", results)))


def caught_percent(results: Iterable[Result]) -> float:
    """Of the mutants that are not equivalent, those that a test noticed."""
    counts = Counter(result.outcome.outcome for result in results)
    possible = counts.total() - counts["equivalent"]
    return 100.0 * sum(counts[each] for each in _CAUGHT) / possible if possible else 100.0


def survivors(results: Iterable[Result]) -> str:
    """Each mutant that nothing noticed, as a diff."""
    open_ones = (result for result in results if result.outcome.outcome in {"survived", "no test"})
    return "\n".join(_entry(result) for result in open_ones)


def _entry(result: Result) -> str:
    place = f"{result.path}:{result.line} {result.holder}".rstrip()
    head = f"## {place} ({result.outcome.outcome}; {result.tests} tests, {result.left_out} slower ones left out)"
    return "\n".join([head, "```diff", *_signed("-", result.removed), *_signed("+", result.added), "```", ""])


def _signed(sign: str, text: str) -> list[str]:
    return [sign + line for line in text.splitlines()]


def _row(name: str, results: Sequence[Result]) -> list[str]:
    counts = Counter(result.outcome.outcome for result in results)
    return [name, *(str(counts[each]) for each in OUTCOMES), f"{caught_percent(results):.1f}"]


def _line(cells: Sequence[str]) -> str:
    return "".join(f"{cell:<12}" for cell in cells).rstrip()


def _plain(text: str) -> str:
    return _SPACE.sub("", text)
