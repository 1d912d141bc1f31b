"""A pytest plugin: label every line that runs with the test, or the fixture wider than a test, for which it runs.

Loaded by the run that measures which tests reach which line; coverage.py is on in every process of that run.
"""

import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import coverage

from .saving import LABEL

REPORT = "THETALINE_REACH_REPORT"
FIXTURE_MARK = "fixture "


class Times:
    """What the tests of this run took, whether they passed, and which wider fixtures they use."""

    def __init__(self) -> None:
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self.tests.setdefault(report.nodeid, {"seconds": 0.0, "passed": True, "failed": False, "fixtures": []})
        test["seconds"] += report.duration
        test["passed"] &= report.passed
        test["failed"] |= report.failed
        test["fixtures"] = next((value for name, value in report.user_properties if name == LABEL), [])

    def pytest_sessionfinish(self) -> None:
        Path(os.environ[REPORT]).write_text(json.dumps(self.tests))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the workers of xdist report to this process
        config.pluginmanager.register(Times())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    item.user_properties.append((LABEL, sorted(_wider_fixtures(item))))
    with _labelled(item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
    if fixturedef.scope == "function":
        return (yield)
    with _labelled(_label(fixturedef)):
        return (yield)


def _wider_fixtures(item: pytest.Item) -> Iterator[str]:
    for definitions in item._fixtureinfo.name2fixturedefs.values():  # type: ignore[attr-defined]
        yield from (_label(definition) for definition in definitions if definition.scope != "function")


def _label(fixturedef: pytest.FixtureDef[Any]) -> str:
    return f"{FIXTURE_MARK}{fixturedef.baseid}::{fixturedef.argname}"


@contextmanager
def _labelled(label: str) -> Iterator[None]:
    outer = os.environ.get(LABEL, "")
    _switch(label)
    try:
        yield
    finally:
        _switch(outer)


def _switch(label: str) -> None:
    os.environ[LABEL] = label
    if measured := coverage.Coverage.current():
        measured.switch_context(label)
