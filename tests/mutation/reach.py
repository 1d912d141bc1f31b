"""Which tests reach a line: measured once for a tree, with coverage.py on in the tests and in all that they start."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from coverage import CoverageData

from .runs import Test
from .sources import Sources, Users

_STATEMENT = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


class Reach:
    """The measured lines of a tree by the tests that reach them."""

    def __init__(self, tree: Path, lines: Path, tests: Path) -> None:
        """`tree` was measured, `lines` is what coverage.py wrote, `tests` what the plugin `contexts` wrote."""
        self._tree = tree
        self._sources = Sources(tree / "src")
        self._lines = CoverageData(basename=str(lines))
        self._lines.read()
        told: dict[str, dict[str, Any]] = json.loads(tests.read_text())
        self.broken = sorted(name for name, test in told.items() if test["failed"])
        self._tests = {name: Test(name, test["seconds"]) for name, test in told.items() if test["passed"]}
        self._users = _users_of_fixtures(told)

    def tests_of(self, path: str, line: int) -> list[Test]:
        """Those that reach the line, or use what it defines; the fastest first."""
        users = self._users_of(path, line)
        labels = {label for file, numbers in users.lines.items() for label in self._labels(file, numbers)}
        names = {name for label in labels for name in self._users.get(label, (label,))}
        names |= self._tests_that_mention(frozenset(users.names))
        return sorted((self._tests[name] for name in names & self._tests.keys()), key=lambda test: test.seconds)

    def fastest(self, count: int) -> list[Test]:
        """Of all tests."""
        return sorted(self._tests.values(), key=lambda test: test.seconds)[:count]

    def _users_of(self, path: str, line: int) -> Users:
        if not path.endswith(".sql"):
            return self._sources.users_of(path, line)
        before = "".join((self._tree / "src" / path).read_text().splitlines(keepends=True)[:line])
        return self._sources.users_of_statement(_STATEMENT.findall(before)[-1])

    def _labels(self, path: str, numbers: set[int]) -> set[str]:
        found = self._measured(path)
        return {label for number in numbers for label in found.get(number, ())}

    @cache  # noqa: B019  as long-lived as the run
    def _measured(self, path: str) -> Mapping[int, list[str]]:
        return self._lines.contexts_by_lineno(str(self._tree / "src" / path))

    def _tests_that_mention(self, names: frozenset[str]) -> set[str]:
        if not names:
            return set()
        word = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b")
        files = {file for file, text in self._texts_of_tests().items() if word.search(text)}
        return {name for name in self._tests if name.partition("::")[0] in files}

    @cache  # noqa: B019  as long-lived as the run
    def _texts_of_tests(self) -> dict[str, str]:
        return {file: (self._tree / file).read_text() for file in {name.partition("::")[0] for name in self._tests}}


def _users_of_fixtures(told: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    users: dict[str, list[str]] = defaultdict(list)
    for name, test in told.items():
        for label in test["fixtures"]:
            users[label].append(name)
    return users
