"""Runs the tests of a mutant: a worker process, a tree and a database template for each of the threads."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from .databases import Template
from .trees import Tree

_FIRST_SECS = 3.0
_FIRST_FILES = 3


@dataclass(frozen=True, slots=True)
class Test:
    """A test that passes on the sources as they are, and the seconds that it took."""

    name: str
    seconds: float

    @property
    def file(self) -> str:
        """Where it is written."""
        return self.name.partition("::")[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the tests of a mutant ended, by which test, and after how long."""

    outcome: str  # killed, timed out, survived, no test
    test: str
    seconds: float
    longest: float  # seconds of tests that it might have taken


class Worker:
    """A process that runs tests on one tree, one mutant after the other."""

    def __init__(self, tree: Tree, template: Template) -> None:
        """Starts it."""
        self.tree, self._template = tree, template
        self._said = tree.root.with_name(f"{tree.root.name}-said")
        self._said.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutation.worker", str(self._said)],
            cwd=tree.root,
            env=tree.environment(**template.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def output(self) -> str:
        """What the last run of tests wrote."""
        return (self._said / "output").read_text()

    def outcome(self, tests: Sequence[Test], longest: float) -> Outcome:
        """Of these tests on the tree as it stands; they were chosen to take `longest` seconds at most."""
        began = time.monotonic()
        said = {"outcome": "survived" if tests else "no test", "test": ""}
        for part in filter(None, parted(tests)):
            said = self._ask({test.name: test.seconds for test in part})
            if said["outcome"] != "survived":
                self._template.drop_clones()
                break
        return Outcome(**said, seconds=round(time.monotonic() - began, 1), longest=longest)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _ask(self, tests: dict[str, float]) -> dict[str, str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(tests) + "\n")
        self._process.stdin.flush()
        answer: dict[str, str] = json.loads(self._process.stdout.readline())
        return answer


def parted(tests: Sequence[Test]) -> tuple[list[Test], list[Test]]:
    """First a few fast tests of few files, which most mutants do not survive; then all the others."""
    files = list(dict.fromkeys(test.file for test in tests))[:_FIRST_FILES]
    near = [test for test in tests if test.file in files]
    spent = accumulate(test.seconds for test in near)
    first = [test for test, secs in zip(near, spent, strict=True) if secs <= _FIRST_SECS]
    return _by_file(first), _by_file([test for test in tests if test not in set(first)])


def _by_file(tests: Sequence[Test]) -> list[Test]:
    """A file's tests one after the other, since they share fixtures; but all that are ten times as slow come later."""
    return sorted(tests, key=lambda test: (len(str(int(10 * test.seconds))), test.file, test.seconds))
