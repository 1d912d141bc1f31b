"""One run of some tests, in a process forked from `worker`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

# The plugins are loaded before this process is forked, so that pytest cannot rewrite their assertions any more.
_QUIETLY = (
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:schemathesis",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


def run(tests: Mapping[str, float], folder: Path) -> NoReturn:
    """Stop at the first test that fails and leave its name in `folder/failure`; `tests` have their usual seconds."""
    os.setsid()
    with (folder / "output").open("w") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    code = pytest.main([*_QUIETLY, *tests], [_Watcher(tests, folder / "failure")])
    sys.stdout.flush()
    os._exit(code)


def allowance(seconds: float) -> float:
    """How long tests may take that take so many seconds without a mutation, on a machine that has other work too."""
    return 60.0 + 10.0 * seconds


class _Watcher:
    """Keeps the order of the tests, ends those that hang, and writes the first failure down."""

    def __init__(self, seconds: Mapping[str, float], failure: Path) -> None:
        self._seconds, self._failure = seconds, failure

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        place = {name: number for number, name in enumerate(self._seconds)}
        items.sort(key=lambda item: place[item.nodeid])
        for item in items:
            item.add_marker(pytest.mark.timeout(allowance(self._seconds[item.nodeid])))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            hung = "from pytest-timeout" in report.longreprtext
            self._failure.write_text(f"{'timed out' if hung else 'killed'}\n{report.nodeid}")
